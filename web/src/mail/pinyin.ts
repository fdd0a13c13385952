// Initials of Chinese names, by where a character stands among others of known sound: enough to find a folder by its letters.
const BOUNDS = '阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀';
const LETTERS = 'ABCDEFGHJKLMNOPQRSTWXYZ';
const collator = new Intl.Collator('zh-Hans-CN-u-co-pinyin');

function initial(char: string): string {
  if (!/\p{Script=Han}/u.test(char)) return char.toLowerCase();
  let found = '';
  for (let at = 0; at < BOUNDS.length; at++) if (collator.compare(char, BOUNDS[at]!) >= 0) found = LETTERS[at]!;
  return found.toLowerCase();
}

export const initials = (text: string) => [...text].map(initial).join('');

/** Whether a name is meant by what is typed: a piece of it, its letters in order, or the initials of its characters. */
export function meant(name: string, typed: string): boolean {
  const [whole, wanted] = [name.toLowerCase(), typed.toLowerCase().trim()];
  return wanted === '' || whole.includes(wanted) || initials(name).replace(/\s/g, '').includes(wanted) || whole.split(/[\s/._-]+/).map((word) => word[0] ?? '').join('').startsWith(wanted);
}
