// Questions that wait for an answer: one at a time, over everything.
export interface Question {
  title: string;
  text?: string;
  yes: string;
  danger?: boolean;
  /** A field to fill, with what it holds at first. */
  field?: { label: string; value: string; secret?: boolean };
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
