// Why something was not done, in the reader's words.
import { JmapError } from '../jmap/client';
import { words } from './prefs.svelte';

export function reason(error: unknown): string {
  const w = words();
  if (!(error instanceof JmapError)) return w.troubleUnknown;
  const known = w.troubles as Record<string, string>;
  return known[error.type] ?? known[error.status] ?? (error.description || w.troubleUnknown);
}
