import jsqr from 'jsqr';
import { expect, test } from 'vitest';
import { qr, qrPath } from '../src/app/qr';

/** What a reader of such codes sees in it: each module four pixels, with the light edge. */
function read(rows: boolean[][]): string | undefined {
  const size = (rows.length + 8) * 4;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) if (rows[(y >> 2) - 4]?.[(x >> 2) - 4]) pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
  return jsqr(pixels, size, size)?.data;
}

test('a QR code of each version is read as what it was made of', () => {
  for (const length of [1, 14, 15, 40, 62, 80, 106, 120, 150, 180, 181, 213]) {
    const text = Array.from({ length }, (_, at) => 'otpauth:/?=&Ax9'[(at * 7 + length) % 15]).join('');
    expect(read(qr(text)!), String(length)).toBe(text);
  }
  expect(read(qr('鸿雁传书 otpauth://totp/Anser:ann@anser.test')!)).toBe('鸿雁传书 otpauth://totp/Anser:ann@anser.test');
  expect(qr('x'.repeat(214))).toBeNull();
  expect(qrPath([[true, false]])).toBe('M0 0h1v1h-1z');
});
