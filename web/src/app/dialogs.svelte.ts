// Questions that wait for an answer: one at a time, over everything.
/** What is to be typed. */
export interface Field {
  label: string;
  value: string;
  secret?: boolean;
  /** A secret of something else than the reader's account here: no browser fills that one's in. */
  isForeign?: boolean;
}

export interface Question {
  title: string;
  text?: string;
  yes: string;
  danger?: boolean;
  /** A field to fill, with what it holds at first. */
  field?: Field;
  answer(value: string | null): void;
}

export const asked = $state<{ question: Question | null }>({ question: null });

/** The text of the field, or an empty text where there is none; `null` when it was called off. */
export function ask(question: Omit<Question, 'answer'>): Promise<string | null> {
  asked.question?.answer(null);
  return new Promise((done) => {
    asked.question = {
      ...question,
      answer: (value) => {
        asked.question = null;
        done(value);
      },
    };
  });
}

export const confirmed = async (question: Omit<Question, 'answer' | 'field'>) => (await ask(question)) !== null;
