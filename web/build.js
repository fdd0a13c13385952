// Builds web/dist: for each entry one script and one style sheet, each also compressed, and the second script of the webmail. crates/web takes them in.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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
// The two know each other by what they hold: the page tells the first where the second is.
// All of the first is needed at once: Chromium compiles it aside, while it travels.
put('webmail.js', `//# allFunctionsCalledOnLoad\n${replaced(text('webmail.js'), /import\([`"]\.\/more\.js[`"]\)/g, 'import(document.body.dataset.more)')}`);
put('more.js', replaced(text('more.js'), /(?<=from ?)[`"]\.\/webmail\.js[`"]/g, `"${served('webmail.js')}"`));
put('pdfparts.bin', packed());
for (const name of readdirSync(dist)) {
  const bytes = readFileSync(new URL(name, dist));
  const small = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  put(`${name}.gz`, small);
  console.log(`${name}: ${bytes.length} bytes, ${small.length} compressed`);
}

function text(name) {
  return readFileSync(new URL(name, dist), 'utf8');
}

function put(name, content) {
  writeFileSync(new URL(name, dist), content);
}

/** With the one place that is like this in other words. */
function replaced(script, place, by) {
  if (script.match(place)?.length !== 1) throw new Error(`${place} is not there once`);
  return script.replace(place, () => by);
}

/** The path under which `crates/web` serves a script. */
function served(name) {
  const hash = createHash('sha384').update(readFileSync(new URL(name, dist))).digest('hex').slice(0, 12);
  return `/assets/${name.replace('.', `.${hash}.`)}`;
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
