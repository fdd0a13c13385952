// Domains that are taken for others: letters that look alike, one letter more, less or other, names that hide where they lead.
const ALIKE: [RegExp, string][] = [
  [/rn/g, 'm'], [/vv/g, 'w'], [/cl/g, 'd'], [/0/g, 'o'], [/[1|ıl]/g, 'i'], [/5/g, 's'], [/[аą]/g, 'a'], [/[её]/g, 'e'], [/о/g, 'o'], [/р/g, 'p'], [/с/g, 'c'], [/у/g, 'y'], [/х/g, 'x'], [/і/g, 'i'], [/-/g, ''],
];

/** How a domain looks at a glance. */
const glance = (domain: string) => ALIKE.reduce((text, [letters, as]) => text.replace(letters, as), domain.toLowerCase());

/** Whether two texts differ in one letter: other, more, less, or two that changed places. */
function isOneOff(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1) || (restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2));
}

/** Whether a domain that is not ours looks like one of ours. Short names are alike too often for one letter to mean anything. */
export function looksLike(domain: string, ours: string): boolean {
  if (domain === '' || domain === ours || domain.endsWith(`.${ours}`)) return false;
  if (glance(domain) === glance(ours)) return true;
  return ours.length >= 9 && isOneOff(domain.toLowerCase(), ours);
}

export type Odd = 'number' | 'letters' | 'user' | 'alike';

/** Why the host of a link is to be looked at twice; `null` where nothing is odd. */
export function oddHost(href: string, ours: string[]): Odd | null {
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return null;
  }
  if (url.username) return 'user';
  if (/^(?:\d+\.){3}\d+$|^\[/.test(url.hostname)) return 'number';
  if (/(?:^|\.)xn--/.test(url.hostname)) return 'letters';
  return ours.some((own) => looksLike(url.hostname.replace(/^www\./, ''), own)) ? 'alike' : null;
}
