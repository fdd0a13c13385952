// Mailboxes as a tree, in the order in which they are shown.
import type { Mailbox, Role } from '../jmap/mailbox';
import type { Id } from '../jmap/session';

export interface Node {
  mailbox: Mailbox;
  depth: number;
  hasChildren: boolean;
  /** The names above it, for what shows it outside of the tree. */
  path: string[];
}

const ORDER: Role[] = ['inbox', 'flagged', 'important', 'drafts', 'sent', 'archive', 'junk', 'trash'];

function rank({ role }: Mailbox): number {
  const at = ORDER.indexOf(role);
  return at < 0 ? ORDER.length : at;
}

/** Depth first; below what is closed nothing is listed. */
export function tree(mailboxes: Mailbox[], nameOf: (mailbox: Mailbox) => string, closed: string[] = []): Node[] {
  const children = new Map<Id | null, Mailbox[]>();
  const known = new Set(mailboxes.map(({ id }) => id));
  for (const mailbox of mailboxes) {
    const parent = mailbox.parentId !== null && known.has(mailbox.parentId) ? mailbox.parentId : null;
    children.set(parent, [...(children.get(parent) ?? []), mailbox]);
  }
  const nodes: Node[] = [];
  const add = (parent: Id | null, depth: number, path: string[]): void => {
    const all = (children.get(parent) ?? []).toSorted(
      (a, b) => rank(a) - rank(b) || a.sortOrder - b.sortOrder || nameOf(a).localeCompare(nameOf(b), ['zh-CN', 'en'], { numeric: true }),
    );
    for (const mailbox of all) {
      nodes.push({ mailbox, depth, hasChildren: children.has(mailbox.id), path });
      if (!closed.includes(mailbox.id)) add(mailbox.id, depth + 1, [...path, nameOf(mailbox)]);
    }
  };
  add(null, 0, []);
  return nodes;
}

/** Each mailbox by its path as rules name it: its names from the top, with `/` between. */
export const paths = (mailboxes: Mailbox[]): Map<string, Mailbox> => new Map(tree(mailboxes, ({ name }) => name).map(({ mailbox, path }) => [[...path, mailbox.name].join('/'), mailbox]));
