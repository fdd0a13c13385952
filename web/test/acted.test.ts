import { expect, test } from 'vitest';
import { acted } from '../src/settings/acted';
import { en } from '../src/words/en';
import { zh } from '../src/words/zh';

const SAID: [string, string, string][] = [
  ['fileinto "Ads"', 'Put into “Ads”', '归入“Ads”'],
  ['fileinto "账单" with \\Seen red, to the stored message with UID 7', 'Put into “账单” with \\Seen red (a message that was here)', '归入“账单”，并标记 \\Seen red（已有邮件）'],
  ['fileinto "x" not done, kept: there is no such mailbox', 'Kept: there is no folder “x”', '保留：没有文件夹“x”'],
  ['keep with \\Flagged', 'Kept with \\Flagged', '保留，并标记 \\Flagged'],
  ['discard', 'Discarded', '丢弃'],
  ['redirect to chen@anser.test', 'Forwarded to chen@anser.test', '转发至 chen@anser.test'],
  ['redirect to chen@anser.test not done, kept: too many', 'Kept, not forwarded to chen@anser.test: too many', '保留，未转发至 chen@anser.test：too many'],
  ['redirect to a@b.c withheld: answered before', 'Not forwarded to a@b.c again', '未再次转发至 a@b.c'],
  ['reject: no\nthanks', 'Rejected: no\nthanks', '拒收：no\nthanks'],
  ['vacation withheld: Bulk', 'No away message was due', '无需自动回复'],
  ['vacation to bob@anser.test withheld: answered before', 'No away message was due', '无需自动回复'],
  ['vacation to bob@anser.test', 'Away message to bob@anser.test', '自动回复 bob@anser.test'],
  ['notify x@y.z', 'x@y.z was notified', '已通知 x@y.z'],
  ['failed, kept: line 3', 'Failed, kept: line 3', '规则出错，邮件已保留：line 3'],
  ['something new', 'something new', 'something new'],
];

test('what a rule did is told in both languages', () => {
  for (const [act, english, chinese] of SAID) {
    expect(acted(act, en.acted), act).toBe(english);
    expect(acted(act, zh.acted), act).toBe(chinese);
  }
});
