// Builds web/dist: for each entry one script and one style sheet, each also compressed. crates/web takes them in.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants, gzipSync } from 'node:zlib';

const ENTRIES = ['login', 'webmail', 'pdf', 'pdfworker'];
/** What a PDF may need besides: tables of characters, programs that open rare pictures, fonts of signs. */
const PARTS = { cmaps: /\.bcmap$/, wasm: /^(openjpeg|jbig2)\.wasm$/, standard_fonts: /^Foxit(Symbol|Dingbats)\.pfb$/ };
const dist = new URL('dist/', import.meta.url);

rmSync(dist, { recursive: true, force: true });
for (const entry of ENTRIES) {
  const done = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'], {
    cwd: new URL('.', import.meta.url),
    env: { ...process.env, ANSER_ENTRY: entry },
    stdio: 'inherit',
  });
  if (done.status !== 0) process.exit(1);
}
writeFileSync(new URL('pdfparts.bin', dist), packed());
for (const name of readdirSync(dist)) {
  const bytes = readFileSync(new URL(name, dist));
  const small = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(new URL(`${name}.gz`, dist), small);
  console.log(`${name}: ${bytes.length} bytes, ${small.length} compressed`);
}

/** All parts in one file: the length of a name, the name, the length of its bytes, the bytes. */
function packed() {
  const pieces = [];
  for (const [folder, wanted] of Object.entries(PARTS)) {
    const from = new URL(`node_modules/pdfjs-dist/${folder}/`, import.meta.url);
    for (const name of readdirSync(from).filter((one) => wanted.test(one)).sort()) {
      const [bytes, size] = [readFileSync(new URL(name, from)), Buffer.alloc(4)];
      size.writeUInt32LE(bytes.length);
      pieces.push(Buffer.from([name.length]), Buffer.from(name), size, bytes);
    }
  }
  return Buffer.concat(pieces);
}
