// Patches of an Email as /set takes them (RFC 8620 §5.3), applied here before the server answers, and turned around to undo them.
import type { Condition, Filter, Head } from '../jmap/email';

export type Patch = Record<string, boolean | null>;

function parts(path: string): ['keywords' | 'mailboxIds', string] {
  const slash = path.indexOf('/');
  return [path.slice(0, slash) as 'keywords' | 'mailboxIds', path.slice(slash + 1)];
}

/** The head as it will be. */
export function patched(head: Head, patch: Patch): Head {
  const next = { ...head, keywords: { ...head.keywords }, mailboxIds: { ...head.mailboxIds } };
  for (const [path, value] of Object.entries(patch)) {
    const [map, key] = parts(path);
    if (value) next[map][key] = true;
    else delete next[map][key];
  }
  return next;
}

/** The condition that finds where a path of a patch is set. */
function holds(path: string): Condition {
  const [map, key] = parts(path);
  return map === 'keywords' ? { hasKeyword: key } : { inMailbox: key };
}

/** The filter of those that a path of a patch changes. */
export const differing = (path: string, value: boolean | null): Filter => (value ? { operator: 'NOT', conditions: [holds(path)] } : holds(path));

/** What brings the head back from a patch to how it is now. */
export function inverse(head: Head, patch: Patch): Patch {
  const back: Patch = {};
  for (const [path, value] of Object.entries(patch)) {
    const [map, key] = parts(path);
    const was = head[map][key] ?? false;
    if (was !== Boolean(value)) back[path] = was ? true : null;
  }
  return back;
}
