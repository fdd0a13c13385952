// Stationery: what a letter is written on, as a style that travels with it and asks for nothing.
export const PAPERS = {
  none: '',
  rice: 'background-color:#fbf6e9;color:#33291a;padding:24px 28px;border-radius:6px',
  lines: 'background-color:#fffdf7;background-image:linear-gradient(#e4d9c3 1px,transparent 1px);background-size:100% 28px;line-height:28px;padding:28px;color:#2b2b2b',
  dawn: 'background-color:#fdf1ec;border-top:6px solid #d98a6a;padding:24px 28px;color:#40281f',
  pine: 'background-color:#f1f6f0;border-left:6px solid #5d8a64;padding:24px 28px;color:#22352a',
  night: 'background-color:#1f2733;color:#ece6d8;padding:24px 28px;border-radius:6px',
} as const;
export type Paper = keyof typeof PAPERS;
export const PAPER_NAMES = Object.keys(PAPERS) as Paper[];

export const onPaper = (paper: Paper, html: string) => (paper === 'none' ? html : `<div class="paper-${paper}" style="${PAPERS[paper]}">${html}</div>`);

/** Takes a letter off its paper, to be written on. */
export function paperOf(html: string): [Paper, string] {
  const found = /^\s*<div class="paper-(\w+)"[^>]*>(.*)<\/div>\s*$/s.exec(html);
  const paper = PAPER_NAMES.find((name) => name === found?.[1]);
  return paper && found ? [paper, found[2]!] : ['none', html];
}
