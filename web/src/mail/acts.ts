// What can be done with messages. Each act shows at once, is taken back with a reason where the server refuses, and can be undone.
import { confirmed } from '../app/dialogs.svelte';
import { words } from '../app/prefs.svelte';
import { hush, say, trouble } from '../app/toasts.svelte';
import type { Toast } from '../app/toasts.svelte';
import { JmapError } from '../jmap/client';
import { ANSER, beginBulk, endBulk, getBulk } from '../jmap/anser';
import { destroyEmails, queryIds, setEmails } from '../jmap/email';
import type { Filter, Head } from '../jmap/email';
import { refusal } from '../jmap/standard';
import type { Id } from '../jmap/session';
import type { Mail } from './mail.svelte';
import { differing, inverse, patched } from './patch';
import type { Patch } from './patch';

/** How often the server is asked how far it is, in milliseconds. */
const WATCH = 300;
/** Messages that one request changes. */
const SET = 500;
/** Ids that one request asks for, and messages of an act on all that are remembered, so that it can be undone. */
const IDS = 5_000;
const UNDONE = 100_000;

export class Acts {
  constructor(private mail: Mail) {}

  /** With conversations on a row stands for all of its conversation in the mailbox that is looked at. */
  rows(ids: Id[]): Id[] {
    const { list } = this.mail;
    if (!list?.wish.collapseThreads) return ids;
    const box = list.wish.filter && 'inMailbox' in list.wish.filter ? list.wish.filter.inMailbox : undefined;
    return ids.flatMap((id) => {
      const head = this.mail.heads.get(id);
      if (!head) return [id];
      const all = this.mail.conversation(head).filter((one) => box === undefined || box in one.mailboxIds);
      return all.length > 0 ? all.map((one) => one.id) : [id];
    });
  }

  flag = (ids: Id[], on: boolean) => this.change(ids, () => ({ 'keywords/$flagged': on || null }), on ? words().doneFlagged : words().doneUnflagged);
  pin = (ids: Id[], on: boolean) => this.change(ids, () => ({ 'keywords/$pinned': on || null }), on ? words().donePinned : words().doneUnpinned);
  label = (ids: Id[], keyword: string, on: boolean) => this.change(ids, () => ({ [`keywords/${keyword}`]: on || null }), null);
  seen = (ids: Id[], on: boolean, told = true) =>
    this.change(
      ids.filter((id) => Boolean(this.mail.heads.get(id)?.keywords.$seen) !== on),
      () => ({ 'keywords/$seen': on || null }),
      told ? (on ? words().doneRead : words().doneUnread) : null,
    );

  move(ids: Id[], to: Id): Promise<boolean> {
    const target = this.mail.mailbox(to);
    const from = this.here();
    const patch = (head: Head): Patch => {
      const left = from !== undefined && from in head.mailboxIds ? [from] : Object.keys(head.mailboxIds);
      return { ...Object.fromEntries(left.filter((id) => id !== to).map((id) => [`mailboxIds/${id}`, null])), [`mailboxIds/${to}`]: true };
    };
    const said = target?.role === 'trash' ? words().doneDeleted(ids.length) : words().doneMoved(ids.length, target ? nameOf(target) : '');
    return this.change(ids, patch, said, true);
  }

  copy(ids: Id[], to: Id): Promise<boolean> {
    const target = this.mail.mailbox(to);
    return this.change(ids, () => ({ [`mailboxIds/${to}`]: true }), words().doneCopied(ids.length, target ? nameOf(target) : ''));
  }

  archive(ids: Id[]): Promise<boolean> | void {
    const archive = this.mail.of('archive');
    if (!archive) return void trouble(words().noArchive);
    return this.move(ids, archive.id);
  }

  junk(ids: Id[], on: boolean): Promise<boolean> | void {
    const to = this.mail.of(on ? 'junk' : 'inbox');
    if (to) return this.move(ids, to.id);
  }

  /** To the trash; from there for ever, after `agreed`. */
  async remove(ids: Id[], agreed: (count: number) => Promise<boolean>): Promise<void> {
    const trash = this.mail.of('trash');
    const forEver = !trash || ids.every((id) => trash.id in (this.mail.heads.get(id)?.mailboxIds ?? {}));
    if (!forEver) {
      await this.move(ids, trash.id);
    } else if (await agreed(ids.length)) {
      await this.destroy(ids);
    }
  }

  async destroy(ids: Id[]): Promise<void> {
    const back = this.mail.list?.drop(ids);
    try {
      const refused = await destroyEmails(this.mail.client, ids);
      if (refused) throw new JmapError(refused.type, refused.description);
      say(words().doneDestroyed(ids.length));
    } catch (error) {
      back?.();
      trouble(words().notDone(this.mail.reason(error)));
    }
  }

  /** Does something to all that a filter finds: by the server where it does that, else in pieces. The work can be stopped. */
  async all(filter: Filter, what: 'destroy' | Patch, label: string): Promise<void> {
    const toast = say(label, { kind: 'work', progress: 0 });
    let backs: Map<Id, Patch> | null = null;
    const undo = () => (backs?.size ? { label: words().undo, run: () => void this.undoAll(backs!) } : undefined);
    try {
      if (what !== 'destroy') {
        backs = await this.changed(filter, what);
        if (!backs && !(await confirmed({ title: words().manyTitle(UNDONE), text: words().manyText, yes: words().goOn }))) return;
      }
      const isServers = this.mail.client.has(ANSER);
      const done = await (isServers ? this.byServer(filter, what, toast) : this.byPieces(filter, what, toast));
      say(words().doneMany(done), { action: undo() });
    } catch (error) {
      // What was done before it failed can be undone as well.
      say(words().notDone(this.mail.reason(error)), { kind: 'trouble', action: undo() });
    } finally {
      hush(toast.id);
    }
  }

  /** What brings each message back that the patch changes of what a filter finds; `null` where these are too many to be remembered. */
  private async changed(filter: Filter, patch: Patch): Promise<Map<Id, Patch> | null> {
    const backs = new Map<Id, Patch>();
    for (const [path, value] of Object.entries(patch)) {
      const differs: Filter = { operator: 'AND', conditions: [filter, differing(path, value)] };
      for (let position = 0; ; ) {
        const { ids, limit = IDS } = await queryIds(this.mail.client, { filter: differs, sort: [], collapseThreads: false }, position, IDS);
        for (const id of ids) backs.set(id, { ...backs.get(id), [path]: value ? null : true });
        if (backs.size > UNDONE) return null;
        if (ids.length === 0 || ids.length < limit) break;
        position += ids.length;
      }
    }
    return backs;
  }

  private async undoAll(backs: Map<Id, Patch>): Promise<void> {
    const toast = say(words().working, { kind: 'work', progress: 0 });
    // What somebody has removed for good meanwhile is no reason to stop.
    const refused = await this.send(backs, (done) => (toast.progress = done), 'notFound');
    hush(toast.id);
    if (refused === null) say(words().undone);
    else trouble(words().notDone(refused));
  }

  /** How many messages were changed. */
  private async byPieces(filter: Filter, what: 'destroy' | Patch, toast: Toast): Promise<number> {
    let stopped = false;
    toast.action = { label: words().stop, run: () => (stopped = true) };
    let done = 0;
    // What is done is found no more, whatever the filter is: what is left always begins at the top.
    const left: Filter = what === 'destroy' ? filter : { operator: 'AND', conditions: [filter, { operator: 'OR', conditions: Object.entries(what).map(([path, value]) => differing(path, value)) }] };
    const wish = { filter: left, sort: [{ property: 'receivedAt' as const, isAscending: false }], collapseThreads: false };
    const total = Math.max(1, this.mail.list?.total ?? 1);
    for (let before: Id | undefined; ; ) {
      const { ids } = await queryIds(this.mail.client, wish, 0, SET);
      if (ids.length === 0 || stopped) return done;
      if (ids[0] === before) throw new JmapError('serverFail');
      before = ids[0];
      const answer = await setEmails(
        this.mail.client,
        what === 'destroy' ? { destroy: ids } : { update: Object.fromEntries(ids.map((id) => [id, what])) },
      );
      const refused = refusal(answer);
      if (refused) throw new JmapError(refused.type, refused.description);
      done += ids.length;
      toast.progress = Math.min(1, done / Math.max(total, done));
    }
  }

  /** As `byPieces`, by the server. */
  private async byServer(filter: Filter, what: 'destroy' | Patch, toast: Toast): Promise<number> {
    const { client } = this.mail;
    const answer = await beginBulk(client, { filter, ...(what === 'destroy' ? { destroy: true } : { update: what }) });
    const id = answer.created?.act?.id;
    if (!id) throw new JmapError(refusal(answer)?.type ?? 'refused', refusal(answer)?.description);
    toast.action = { label: words().stop, run: () => void endBulk(client, id) };
    for (;;) {
      const bulk = await getBulk(client, id);
      if (!bulk || bulk.state === 'failed') throw new JmapError('serverFail');
      if (bulk.state !== 'running') return bulk.done;
      toast.progress = bulk.total > 0 ? bulk.done / bulk.total : 0;
      await new Promise((done) => setTimeout(done, WATCH));
    }
  }

  /** The mailbox that is looked at. */
  private here(): Id | undefined {
    const filter = this.mail.list?.wish.filter;
    return filter && 'inMailbox' in filter ? filter.inMailbox : undefined;
  }

  private async change(ids: Id[], patchOf: (head: Head) => Patch, said: string | null, leaves = false): Promise<boolean> {
    const heads = ids.map((id) => this.mail.heads.get(id)).filter((head) => head !== undefined);
    if (heads.length === 0) return true;
    const patches = new Map(heads.map((head) => [head.id, patchOf(head)]));
    const backs = new Map(heads.map((head) => [head.id, inverse(head, patches.get(head.id)!)]));
    for (const head of heads) this.mail.heads.set(head.id, patched(head, patches.get(head.id)!));
    const restore = leaves ? this.mail.list?.drop(ids) : undefined;
    const undone = () => {
      for (const [id, back] of backs) {
        const head = this.mail.heads.get(id);
        if (head) this.mail.heads.set(id, patched(head, back));
      }
      restore?.();
    };
    // It can be undone at once: the way back waits for the way there.
    const sent = this.send(patches);
    if (said) say(said, { action: { label: words().undo, run: () => void this.undo(sent, backs, undone) } });
    const refused = await sent;
    if (refused === null) return true;
    undone();
    trouble(words().notDone(refused));
    return false;
  }

  private async undo(sent: Promise<string | null>, backs: Map<Id, Patch>, undone: () => void): Promise<void> {
    undone();
    if ((await sent) !== null) return;
    const refused = await this.send(backs);
    if (refused !== null) trouble(words().notDone(refused));
  }

  /** `null` when done, else why not; a refusal of the type `passed` is none. */
  private async send(patches: Map<Id, Patch>, told?: (done: number) => void, passed?: string): Promise<string | null> {
    const all = [...patches].filter(([, patch]) => Object.keys(patch).length > 0);
    try {
      for (let at = 0; at < all.length; at += SET) {
        const refused = refusal(await setEmails(this.mail.client, { update: Object.fromEntries(all.slice(at, at + SET)) }), passed);
        told?.((at + SET) / all.length);
        if (refused) return this.mail.reason(new JmapError(refused.type, refused.description));
      }
      return null;
    } catch (error) {
      return this.mail.reason(error);
    }
  }
}

/** A mailbox by its name, or by what it is for. */
export function nameOf(mailbox: { name: string; role: string | null }): string {
  const named = words().roles as Record<string, string>;
  return (mailbox.role && named[mailbox.role]) || mailbox.name;
}
