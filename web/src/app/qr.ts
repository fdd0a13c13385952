// A QR code (ISO/IEC 18004) of a text: bytes, error correction M, versions 1 to 10. What is larger than 213 bytes has none.

/** Of each version: codewords in all, of them those of error correction in each block, blocks, and where the middles of its marks are. */
const VERSIONS: [number, number, number, number[]][] = [
  [26, 10, 1, []], [44, 16, 1, [6, 18]], [70, 26, 1, [6, 22]], [100, 18, 2, [6, 26]], [134, 24, 2, [6, 30]],
  [172, 16, 4, [6, 34]], [196, 18, 4, [6, 22, 38]], [242, 22, 4, [6, 24, 42]], [292, 22, 5, [6, 26, 46]], [346, 26, 5, [6, 28, 50]],
];

const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let at = 0, value = 1; at < 255; at++, value = (value << 1) ^ (value & 0x80 ? 0x11d : 0)) {
  EXP[at] = EXP[at + 255] = value;
  LOG[value] = at;
}
const times = (a: number, b: number) => (a && b ? EXP[LOG[a]! + LOG[b]!]! : 0);

/** Reed-Solomon: the remainder of the data by the generator of this degree. */
function remainder(data: number[], degree: number): number[] {
  let generator = [1];
  for (let at = 0; at < degree; at++) generator = [...generator, 0].map((value, index) => value ^ times(generator[index - 1] ?? 0, EXP[at]!));
  const rest = [...data, ...Array<number>(degree).fill(0)];
  for (let at = 0; at < data.length; at++) {
    const factor = rest[at]!;
    generator.forEach((value, index) => void (rest[at + index]! ^= times(value, factor)));
  }
  return rest.slice(data.length);
}

/** Data and error correction of all blocks, in the order in which they are drawn. */
function codewords(bytes: Uint8Array, version: number): number[] {
  const [total, check, blocks] = VERSIONS[version - 1]!;
  const room = total - check * blocks;
  const wide = version > 9 ? 16 : 8;
  const bits = [[4, 4], [bytes.length, wide], ...[...bytes].map((byte) => [byte, 8])].map(([value, size]) => value!.toString(2).padStart(size!, '0')).join('');
  const padded = bits.padEnd(Math.min(room * 8, bits.length + 4), '0');
  const data = (padded.padEnd(Math.ceil(padded.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2));
  for (let pad = 0xec; data.length < room; pad ^= 0xfd) data.push(pad);
  const short = Math.floor(room / blocks);
  const firsts = blocks - (room % blocks);
  const pieces = Array.from({ length: blocks }, (_, at) => data.slice(at * short + Math.max(0, at - firsts), (at + 1) * short + Math.max(0, at + 1 - firsts)));
  const checks = pieces.map((piece) => remainder(piece, check));
  const woven = (all: number[][]) => Array.from({ length: Math.max(...all.map(({ length }) => length)) }, (_, at) => all.flatMap((one) => one[at] ?? [])).flat();
  return [...woven(pieces), ...woven(checks)];
}

/** A value with its check bits: a remainder by a polynomial of this degree. */
function checked(value: number, polynomial: number, degree: number): number {
  let rest = value << degree;
  for (let bit = 31; bit >= degree; bit--) if ((rest >>> bit) & 1) rest ^= polynomial << (bit - degree);
  return (value << degree) | rest;
}

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0, (_, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0, (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** The code as rows of dark (`true`) and light modules, without the light edge of four around it; `null` where the text is too long. */
export function qr(text: string): boolean[][] | null {
  const bytes = new TextEncoder().encode(text);
  const version = VERSIONS.findIndex(([total, check, blocks], at) => bytes.length <= total - check * blocks - (at > 8 ? 3 : 2)) + 1;
  if (version === 0) return null;
  const size = 17 + 4 * version;
  const rows = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const fixed = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const put = (x: number, y: number, dark: boolean) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    rows[y]![x] = dark;
    fixed[y]![x] = true;
  };
  const square = (x: number, y: number, far: number, isDark: (ring: number) => boolean) => {
    for (let dy = -far; dy <= far; dy++) for (let dx = -far; dx <= far; dx++) put(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  for (let at = 0; at < size; at++) (put(6, at, at % 2 === 0), put(at, 6, at % 2 === 0));
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x!, y!, 4, (ring) => ring !== 2 && ring !== 4);
  const middles = VERSIONS[version - 1]![3];
  for (const x of middles) for (const y of middles) if (!((x === 6 && (y === 6 || y === size - 7)) || (y === 6 && x === size - 7))) square(x, y, 2, (ring) => ring !== 1);
  if (version > 6) {
    const bits = checked(version, 0x1f25, 12);
    for (let at = 0; at < 18; at++) {
      const [a, b, dark] = [size - 11 + (at % 3), Math.floor(at / 3), ((bits >>> at) & 1) === 1];
      put(a, b, dark);
      put(b, a, dark);
    }
  }
  /** Which mask was taken, beside the marks. */
  const format = (mask: number) => {
    // Error correction M is 0.
    const bits = checked(mask, 0x537, 10) ^ 0x5412;
    for (let at = 0; at < 15; at++) {
      const dark = ((bits >>> at) & 1) === 1;
      put(8, at < 6 ? at : at < 8 ? at + 1 : size - 15 + at, dark);
      put(at < 8 ? size - 1 - at : at < 9 ? 7 : 14 - at, 8, dark);
    }
    put(8, size - 8, true);
  };
  format(0);
  const words = codewords(bytes, version);
  let at = 0;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    const isUp = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++)
      for (const x of [right, right - 1]) {
        const y = isUp ? size - 1 - step : step;
        if (fixed[y]![x]) continue;
        rows[y]![x] = (((words[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1) === 1;
        at++;
      }
  }
  const turn = (mask: number) => rows.forEach((row, y) => row.forEach((dark, x) => !fixed[y]![x] && MASKS[mask]!(x, y) && (row[x] = !dark)));
  /** How much of one colour lies side by side: readers want little of it. */
  const runs = () => {
    let sum = 0;
    for (let a = 0; a < size; a++) for (let b = 2; b < size; b++) sum += Number(rows[a]![b] === rows[a]![b - 1] && rows[a]![b] === rows[a]![b - 2]) + Number(rows[b]![a] === rows[b - 1]![a] && rows[b]![a] === rows[b - 2]![a]);
    return sum;
  };
  const tried = MASKS.map((_, mask) => {
    turn(mask);
    const sum = runs();
    turn(mask);
    return sum;
  });
  const best = tried.indexOf(Math.min(...tried));
  turn(best);
  format(best);
  return rows;
}

/** The dark modules as a path of SVG, one unit a module. */
export const qrPath = (rows: boolean[][]) => rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
