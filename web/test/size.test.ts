// What travels to a browser at first: budgets, in bytes as compressed.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en } from '../src/words/en';
import { zh } from '../src/words/zh';

const size = (name: string) => (existsSync(`dist/${name}.gz`) ? readFileSync(`dist/${name}.gz`).length : NaN);

// Nobody waits for the second script: it comes behind the first rows. Most of it are settings that few open, and so it has a budget of its own.
test('the first rows of the webmail need 76 KB of script, and what comes behind them 100 KB', () => {
  expect(size('webmail.js')).toBeLessThan(76_000);
  expect(size('more.js')).toBeLessThan(100_000);
});

test('the login page is at most 10 KB in all', () => {
  expect(size('login.js') + size('login.css')).toBeLessThan(10_000);
});

test('nothing is evaluated and nothing is loaded from elsewhere', () => {
  for (const name of ['webmail', 'more', 'login']) {
    const script = readFileSync(`dist/${name}.js`, 'utf8');
    // The page says where the second script of the webmail is.
    expect(script).not.toMatch(/\beval\(|new Function\(|import\((?!document\.body\.dataset\.more\))/);
  }
  for (const name of ['webmail', 'login']) {
    const style = readFileSync(`dist/${name}.css`, 'utf8');
    expect(style).not.toMatch(/url\((?!["']?data:)|@import/);
  }
});

test('both languages say all, and say it in their own words', () => {
  const leaves = (value: unknown, path = ''): [string, unknown][] =>
    typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, one]) => leaves(one, `${path}.${key}`)) : [[path, value]];
  const chinese = new Map(leaves(zh));
  for (const [path, text] of leaves(en)) {
    const other = chinese.get(path);
    expect(typeof other, path).toBe(typeof text);
    const said = typeof other === 'function' ? String((other as (...all: unknown[]) => string)(2, 'x')) : String(other);
    if (!/comma|searchHelp/.test(path)) expect(said, path).toMatch(/[\p{Script=Han}：]/u);
  }
});
