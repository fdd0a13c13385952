// Short messages at the foot of the page: what was done, and how to undo it.
export interface Toast {
  id: number;
  text: string;
  kind: 'done' | 'trouble' | 'work';
  /** 0 to 1 where something goes on. */
  progress?: number;
  action?: { label: string; run: () => void };
}

/** How long one stays, in milliseconds; trouble stays longer. */
const STAYS = { done: 8_000, trouble: 15_000, work: Infinity };
const MOST = 4;

let count = 0;
export const toasts = $state<{ all: Toast[] }>({ all: [] });

export function say(text: string, more: Partial<Omit<Toast, 'id' | 'text'>> & { stays?: number } = {}): Toast {
  const toast: Toast = { id: ++count, text, kind: more.kind ?? 'done', action: more.action, progress: more.progress };
  toasts.all = [...toasts.all.filter((other) => other.kind === 'work' || toast.kind !== other.kind).slice(1 - MOST), toast];
  const stays = more.stays ?? STAYS[toast.kind];
  if (Number.isFinite(stays)) setTimeout(() => hush(toast.id), stays);
  return toasts.all[toasts.all.length - 1]!;
}

export const trouble = (text: string) => say(text, { kind: 'trouble' });

export function hush(id: number): void {
  toasts.all = toasts.all.filter((toast) => toast.id !== id);
}
