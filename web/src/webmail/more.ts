// What the first rows are shown without. It is a script of its own, which travels after them.
export { default as Composer } from '../write/Composer.svelte';
export { default as Conversation } from '../mail/Conversation.svelte';
export { default as Help } from './Help.svelte';
export { default as Labels } from '../mail/Labels.svelte';
export { default as LetterTab } from '../mail/LetterTab.svelte';
export { default as Notes } from '../mail/Notes.svelte';
export { default as People } from '../contacts/People.svelte';
export { default as Picker } from '../mail/Picker.svelte';
export { default as Settings } from '../settings/Settings.svelte';
export { Draft } from '../write/draft.svelte';
export * as files from '../mail/export';
