// Letters as HTML that does nothing: the second of four layers (the server's, this, the frame that runs nothing, the page's policy).
import DOMPurify from 'dompurify';
import type { Config } from 'dompurify';

export interface Clean {
  html: string;
  /** Things from elsewhere that were left out. */
  remote: number;
}

interface Look {
  /** Object URLs of the pictures that lie in the letter, by Content-ID. */
  cids: Map<string, string>;
  /** Where a picture from elsewhere is asked for; `null` leaves them out. */
  remote: ((url: string) => string | null) | null;
}

const NEVER = [
  'form', 'input', 'button', 'select', 'option', 'textarea', 'label', 'fieldset', 'output', 'datalist', 'svg', 'math', 'iframe', 'frame', 'frameset',
  'object', 'embed', 'applet', 'meta', 'link', 'base', 'audio', 'video', 'source', 'track', 'template', 'slot', 'dialog', 'noscript', 'portal',
];
const NO_ATTRIBUTES = [
  'action', 'formaction', 'srcset', 'sizes', 'ping', 'autofocus', 'id', 'name', 'contenteditable', 'tabindex', 'accesskey', 'poster', 'srcdoc', 'target',
  'download', 'draggable', 'is', 'slot', 'part', 'popover', 'popovertarget', 'usemap', 'ismap', 'loading',
];

const base: Config = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: NEVER,
  FORBID_ATTR: NO_ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|tel:|cid:|\/jmap\/|data:image\/(?:png|jpeg|gif|webp|bmp|avif);|blob:|#)/i,
  ADD_URI_SAFE_ATTR: [],
  SANITIZE_DOM: true,
  SANITIZE_NAMED_PROPS: true,
};

let look: Look = { cids: new Map(), remote: null };
let count = 0;
let hooked = false;

/** A picture's source as it may stand; `null` where it is left out. */
function picture(source: string): string | null {
  if (/^cid:/i.test(source)) return look.cids.get(decoded(source.slice(4))) ?? null;
  if (source.startsWith('/jmap/')) return look.remote?.(location.origin + source) ?? null;
  if (/^https?:/i.test(source)) {
    count++;
    return look.remote?.(source) ?? null;
  }
  // A blob of another page is none of the letter's business; those of ours are put in here, after the letter's own are gone.
  return /^data:/i.test(source) ? source : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A style without what is fetched from anywhere. */
export function still(style: string): string {
  return style.replace(/(?:url|image-set|image|src|cross-fade)\s*\((?:[^()"']|"[^"]*"|'[^']*'|\([^()]*\))*\)/gi, (found) => {
    if (/^url\(\s*["']?data:image\/(?!svg)/i.test(found)) return found;
    if (/https?:|\/\//i.test(found)) count++;
    return 'none';
  });
}

function hook(): void {
  if (hooked) return;
  hooked = true;
  DOMPurify.addHook('afterSanitizeAttributes', (node) => {
    const element = node as Element;
    const style = element.getAttribute('style');
    if (style && /[(\\]/.test(style)) element.setAttribute('style', still(style.replace(/\\/g, '')));
    const background = element.getAttribute('background');
    if (background !== null) {
      const shown = picture(background);
      if (shown === null) element.removeAttribute('background');
      else element.setAttribute('background', shown);
    }
    if (element.tagName === 'IMG') {
      const shown = picture(element.getAttribute('src') ?? '');
      if (shown === null) {
        element.removeAttribute('src');
        element.classList.add('left-out');
      } else element.setAttribute('src', shown);
    } else element.removeAttribute('src');
    if (element.tagName === 'A' || element.tagName === 'AREA') {
      element.setAttribute('target', '_blank');
      element.setAttribute('rel', 'noopener noreferrer');
    }
  });
  DOMPurify.addHook('uponSanitizeElement', (node) => {
    if (node.nodeName === 'STYLE') node.textContent = still((node.textContent ?? '').replace(/@import[^;]*;?/gi, '').replace(/\\(?=[a-z0-9])/gi, ''));
  });
}

/** A whole letter for the reading frame. */
export function letter(html: string, how: Look): Clean {
  hook();
  look = how;
  count = 0;
  const clean = DOMPurify.sanitize(html, { ...base, WHOLE_DOCUMENT: true, RETURN_TRUSTED_TYPE: false }) as unknown as string;
  return { html: clean, remote: count };
}

/** A piece of HTML for the editor: a quote, a paste, a signature. It has no style sheets of its own. */
export function piece(html: string, how: Look = { cids: new Map(), remote: null }): DocumentFragment {
  hook();
  look = how;
  return DOMPurify.sanitize(html, {
    ...base,
    FORBID_TAGS: [...NEVER, 'style', 'title'],
    FORBID_ATTR: NO_ATTRIBUTES,
    RETURN_DOM_FRAGMENT: true,
  }) as unknown as DocumentFragment;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escaped = (text: string) => text.replace(/[&<>"']/g, (char) => ESCAPES[char]!);

/** Plain text as HTML: lines, quotes by their depth, addresses that can be followed. */
export function textAsHtml(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  let depth = 0;
  let html = '<div class="plain">';
  for (const line of lines) {
    const marks = /^(?:> ?)+/.exec(line)?.[0] ?? '';
    const now = Math.min(marks.replace(/ /g, '').length, 8);
    while (depth < now) (html += '<blockquote>'), depth++;
    while (depth > now) (html += '</blockquote>'), depth--;
    html += `${linked(line.slice(marks.length))}\n`;
  }
  return `${html}${'</blockquote>'.repeat(depth)}</div>`;
}

const LINK = /\b(https?:\/\/[^\s<>"'，。；！？、（）《》「」]+[^\s<>"'，。；！？、（）《》「」.,;:!?)\]}])|\b([\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g;

function linked(line: string): string {
  let html = '';
  let at = 0;
  for (const found of line.matchAll(LINK)) {
    const [all, url, address] = found;
    html += escaped(line.slice(at, found.index));
    html += `<a href="${escaped(url ?? `mailto:${address!}`)}">${escaped(all)}</a>`;
    at = found.index + all.length;
  }
  return html + escaped(line.slice(at));
}

/** What a link really leads to, where its text says otherwise; `null` where it is honest. */
export function dishonest(text: string, href: string): string | null {
  const said = /(?:https?:\/\/)?((?:[\w-]+\.)+[a-z]{2,})(?:[/:?#]|$)/i.exec(text.trim());
  if (!said || /@/.test(text)) return null;
  try {
    const host = new URL(href).hostname.replace(/^www\./, '').toLowerCase();
    const claimed = said[1]!.replace(/^www\./, '').toLowerCase();
    return host === claimed || host.endsWith(`.${claimed}`) ? null : host;
  } catch {
    return null;
  }
}
