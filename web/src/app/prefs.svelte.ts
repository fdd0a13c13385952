// What a person chose of how things look. Kept by the browser, read before the first paint, and by the server where it keeps documents,
// so that it is the same on every machine.
import { en } from '../words/en';
import { zh } from '../words/zh';

export type Theme = 'auto' | 'light' | 'dark' | 'contrast';
export const SKINS = ['indigo', 'cinnabar', 'moss', 'plum', 'ochre', 'lake', 'rose', 'ink'] as const;
export type Skin = (typeof SKINS)[number];
export type Density = 'airy' | 'normal' | 'dense';
export type Pane = 'right' | 'bottom' | 'off';
export type Language = 'en' | 'zh';

const KEY = 'anser.prefs';

const first = {
  theme: 'auto' as Theme,
  skin: 'indigo' as Skin,
  density: 'normal' as Density,
  pane: 'right' as Pane,
  conversations: true,
  preview: true,
  language: (navigator.languages.some((tag) => tag.startsWith('zh')) && !navigator.language.startsWith('en') ? 'zh' : 'en') as Language,
  images: 'ask' as 'ask' | 'never',
  undoSeconds: 10,
  /** Whether letters to people of the house alone wait as long: these can be recalled while they are unread, and so need not. */
  undoInside: false,
  plain: false,
  notify: false,
  /** The time zone that times are shown in; empty for that of the device. */
  zone: '',
  /** What is answered to who wants to know that a letter was read: `inside` answers people of the own domains and asks about others. */
  receipts: 'ask' as 'ask' | 'never' | 'inside',
  folderWidth: 224,
  listWidth: 400,
  closed: [] as string[],
};
export type Prefs = typeof first;

function kept(): Prefs {
  try {
    return { ...first, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Prefs>) };
  } catch {
    return { ...first };
  }
}

export const prefs: Prefs = $state(kept());

export function choose<K extends keyof Prefs>(name: K, value: Prefs[K]): void {
  prefs[name] = value;
  localStorage.setItem(KEY, JSON.stringify(prefs));
  show();
  keep?.(prefs);
}

let keep: ((prefs: Prefs) => void) | null = null;

/** Takes over what the server keeps, and gives it what is chosen from now on. */
export function shared(known: unknown, keeper: (prefs: Prefs) => void): void {
  // What somebody else chose in this browser is no word of this reader's on what is told in their name, and no place where they are.
  Object.assign(prefs, { receipts: first.receipts, zone: first.zone });
  if (typeof known === 'object' && known !== null) {
    for (const [name, value] of Object.entries(known)) if (name in first && typeof value === typeof first[name as keyof Prefs]) Object.assign(prefs, { [name]: value });
    localStorage.setItem(KEY, JSON.stringify(prefs));
    show();
  }
  keep = keeper;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', () => show());

/** Puts on the page what the style sheet goes by. A skin has other colours in the dark, whoever chose that. */
export function show(): void {
  const root = document.documentElement;
  root.lang = prefs.language === 'zh' ? 'zh-CN' : 'en';
  Object.assign(root.dataset, { theme: prefs.theme === 'auto' ? (dark.matches ? 'dark' : 'light') : prefs.theme, skin: prefs.skin, density: prefs.density });
}

/** The words of the language that is read. */
export const words = () => (prefs.language === 'zh' ? zh : en);
