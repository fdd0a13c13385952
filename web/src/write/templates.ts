// Letters that are written often, kept for the next time.
import type { Kept } from '../webmail/kept';

export const TEMPLATES = 'webmail/templates';
export const MOST_TEMPLATES = 50;

export interface Template {
  name: string;
  subject: string;
  html: string;
}

/** What was kept, as far as it is templates. */
export function templates(kept: Kept): Template[] {
  const all = kept.of(TEMPLATES);
  return (Array.isArray(all) ? (all as Partial<Template>[]) : []).flatMap(({ name, subject, html }) => (typeof name === 'string' && typeof subject === 'string' && typeof html === 'string' ? [{ name, subject, html }] : []));
}
