// Every test of the browser's side: sizes and units by vitest, then the flows in a browser. Ends with one line: `web: N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
let [passed, failed] = [0, 0];

const folder = mkdtempSync(join(tmpdir(), 'anser-vitest-'));
const report = join(folder, 'report.json');
spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`], { cwd: root, stdio: 'inherit' });
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  passed += numPassedTests;
  failed += Math.max(numFailedTests, numFailedTestSuites);
} catch {
  failed++;
}
rmSync(folder, { recursive: true, force: true });

const files = readdirSync(join(root, 'e2e')).filter((name) => name.endsWith('.test.js')).map((name) => join(root, 'e2e', name));
for await (const { type, data } of run({ files, concurrency: 1 })) {
  if (type !== 'test:pass' && type !== 'test:fail') continue;
  if (data.details?.type === 'suite' || data.name.endsWith('.test.js')) continue;
  if (type === 'test:pass') passed++;
  else {
    failed++;
    console.log(`FAIL ${data.name}\n${data.details.error?.cause?.stack ?? data.details.error?.message ?? ''}`);
  }
}
console.log(`web: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
