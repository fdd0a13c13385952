// Builds web/dist: for each entry one script and one style sheet, each also compressed. crates/web takes them in.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants, gzipSync } from 'node:zlib';

const ENTRIES = ['login', 'webmail'];
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
for (const name of readdirSync(dist)) {
  const bytes = readFileSync(new URL(name, dist));
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(new URL(`${name}.gz`, dist), packed);
  console.log(`${name}: ${bytes.length} bytes, ${packed.length} compressed`);
}
