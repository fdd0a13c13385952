// Colours that a message can be labelled with: keywords, as other programs use them, and how they are called here.
export const LABELS = [
  { keyword: '$label1', colour: '#b3402a', name: 'red' },
  { keyword: '$label2', colour: '#b96b12', name: 'orange' },
  { keyword: '$label3', colour: '#3f7a4d', name: 'green' },
  { keyword: '$label4', colour: '#2f67a3', name: 'blue' },
  { keyword: '$label5', colour: '#7c4a94', name: 'violet' },
  { keyword: '$label6', colour: '#8c7a1d', name: 'yellow' },
  { keyword: '$label7', colour: '#5c666e', name: 'grey' },
] as const;
export type LabelName = (typeof LABELS)[number]['name'];
