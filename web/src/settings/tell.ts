// A rule in a sentence.
import type { Condition, Deed, Rule } from '../jmap/rules';
import { size } from '../mail/dates';
import type { Label } from '../mail/labels';
import type { Words } from '../words/en';

function condition(one: Condition, w: Words): string {
  if ('larger' in one) return `${w.conditions.larger} ${size(one.larger)}`;
  if ('smaller' in one) return `${w.conditions.smaller} ${size(one.smaller)}`;
  if ('attachment' in one) return one.attachment.not ? w.noAttachment : w.hasAttachment;
  if ('exists' in one) return `${one.exists.header} ${one.exists.not ? '✗' : '✓'}`;
  if ('today' in one) return [one.today.from, one.today.until].map((day) => (day ? `${day.year}-${day.month}-${day.day}` : '')).join(' – ');
  const { field, how, values, not } = one.text;
  return `${typeof field === 'object' ? field.header : w.conditions[field]} ${not ? w.not : ''}${w.hows[how]} ${values.map((value) => `“${value}”`).join(w.orJoin)}`;
}

function deed(one: Deed, w: Words, labels: Label[]): string {
  if (typeof one === 'string') return w.deeds[one];
  if ('file' in one) return `${one.file.copy ? w.deeds.copy : w.deeds.file} ${one.file.mailbox}`;
  if ('keyword' in one) return `${w.deeds.keyword} ${labels.find(({ keyword }) => keyword === one.keyword)?.name ?? one.keyword}`;
  if ('forward' in one) return `${w.deeds.forward} ${one.forward.to}`;
  return 'reject' in one ? w.deeds.reject : `${w.deeds.notify} ${one.notify}`;
}

export const told = (rule: Rule, w: Words, labels: Label[]): string =>
  `${rule.conditions.length === 0 ? w.allMail : rule.conditions.map((one) => condition(one, w)).join(rule.quantifier === 'all' ? w.andJoin : w.orJoin)} → ${rule.deeds.map((one) => deed(one, w, labels)).join(w.comma)}`;
