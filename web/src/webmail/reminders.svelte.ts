// What wants to be seen: notes whose day has come, and unread messages with a star. In the frame, and once a day as a notification.
import { prefs, words } from '../app/prefs.svelte';
import { ANSER, dueNotes } from '../jmap/anser';
import type { Note } from '../jmap/anser';
import type { Client } from '../jmap/client';
import { countOf } from '../jmap/email';
import { shifted, today } from '../mail/dates';
import type { Mail } from '../mail/mail.svelte';

/** How often it is looked what the new day brings, in milliseconds; a moment in which changes come together; notes that are shown. */
const AGAIN = 600_000;
const REST = 2_000;
const MOST = 10;
/** Whom this browser has notified last, and on which day. */
const TOLD = 'anser.reminded';

export class Reminders {
  /** Those that are due first, and how many there are in all. */
  notes = $state.raw<Note[]>([]);
  due = $state(0);
  starred = $state(0);
  private timer = 0;
  private asked = 0;

  constructor(private client: Client, private mail: Mail) {}

  get count(): number {
    return this.due + this.starred;
  }

  start(): void {
    this.mail.onChange((change) => ('Note' in change || 'Email' in change) && this.later(REST));
    void this.look();
  }

  private later(rest: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.look(), rest);
  }

  private async look(): Promise<void> {
    this.later(AGAIN);
    const at = ++this.asked;
    const inbox = this.mail.of('inbox')?.id;
    try {
      const [{ notes, total }, starred] = await Promise.all([
        this.client.has(ANSER) ? dueNotes(this.client, `${shifted(today(), { days: 1 })}T00:00:00Z`, MOST) : { notes: [], total: 0 },
        inbox ? countOf(this.client, { inMailbox: inbox, hasKeyword: '$flagged', notKeyword: '$seen' }) : 0,
      ]);
      await this.mail.fetchHeads(notes.map(({ emailId }) => emailId).filter((id) => !this.mail.heads.has(id)));
      // What was done meanwhile is asked for once more, and that answer stands.
      if (at !== this.asked) return;
      [this.notes, this.due, this.starred] = [notes, total, starred];
      this.tell();
    } catch {
      // It is looked again soon.
    }
  }

  private tell(): void {
    const told = `${this.client.account} ${today()}`;
    if (this.count === 0 || !prefs.notify || !('Notification' in window) || Notification.permission !== 'granted' || localStorage.getItem(TOLD) === told) return;
    localStorage.setItem(TOLD, told);
    const first = this.notes[0];
    new Notification(words().reminders(this.count), { body: first ? first.text || (this.mail.heads.get(first.emailId)?.subject ?? '') : words().starredUnread(this.starred), tag: 'reminders', lang: prefs.language });
  }
}
