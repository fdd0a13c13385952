const many = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;

export const en = {
  // The frame.
  places: 'Places', mail: 'Mail', people: 'People', settings: 'Settings', help: 'Help', folders: 'Folders', tabs: 'Open letters',
  skip: 'To the messages', logout: 'Log out', lineLost: 'No connection; trying again', cannotStart: 'Your mail cannot be shown now', again: 'Try again',
  loading: 'Loading…', close: 'Close', cancel: 'Cancel', more: 'More', undo: 'Undo', stop: 'Stop', keep: 'Save', kept: 'Saved.', remove: 'Delete', create: 'Create', insert: 'Insert',
  comma: ', ', colon: ': ', off: 'Off',
  roles: { inbox: 'Inbox', drafts: 'Drafts', sent: 'Sent', archive: 'Archive', junk: 'Spam', trash: 'Trash', flagged: 'Starred', important: 'Important', all: 'All mail' },

  // Lists.
  messages: 'Messages', reading: 'Reading', tools: 'Tools', folderWidth: 'Width of the folders', listWidth: 'Width of the list',
  unread: 'Unread', unreadCount: ' unread', flagged: 'Starred', hasAttachment: 'Has an attachment', noSubject: '(no subject)', nobody: '(nobody)', me: 'me',
  nothingHere: 'Nothing here. Enjoy the quiet.', nothingFound: 'Nothing was found.', nothingSuch: 'There is no such message here.', chooseOne: 'Choose a message to read it.',
  selected: (count: number) => many(count, 'selected', 'selected'), selectAll: 'Select all', unselect: 'Select none',
  selectMatching: (count: number) => `Select all ${count} messages of this folder`, found: (count: number) => `${count} found`,
  show: 'Show', layout: 'Layout', onlyAll: 'All', onlyUnread: 'Unread', onlyFlagged: 'Starred',
  sortNewest: 'Newest first', sortOldest: 'Oldest first', sortFrom: 'By sender', sortSubject: 'By subject', sortSize: 'Largest first',
  paneRight: 'Reading pane on the right', paneBottom: 'Reading pane below', paneOff: 'No reading pane', conversations: 'Group by conversation', previewLine: 'Show the first line',
  newMail: (count: number, from: string) => (count === 1 ? `New letter from ${from}` : `${count} new letters, from ${from} and others`),

  // Acts.
  archive: 'Archive', moveTo: 'Move to', goTo: 'Go to', labels: 'Labels', flag: 'Star', pin: 'Pin on top', pinned: 'Pinned', donePinned: 'Pinned on top.', doneUnpinned: 'No longer pinned.', junk: 'Spam', notJunk: 'Not spam', markRead: 'Mark as read', markUnread: 'Mark as unread',
  moving: 'Moving…', deleting: 'Deleting…', working: 'Working…', emptying: 'Emptying…',
  doneFlagged: 'Starred.', doneUnflagged: 'Star taken off.', doneRead: 'Marked as read.', doneUnread: 'Marked as unread.',
  doneDeleted: (count: number) => (count === 1 ? 'Moved to the trash.' : `${count} messages moved to the trash.`),
  doneMoved: (count: number, to: string) => (count === 1 ? `Moved to ${to}.` : `${count} messages moved to ${to}.`),
  doneDestroyed: (count: number) => (count === 1 ? 'Deleted for ever.' : `${count} messages deleted for ever.`), doneMany: (count: number) => `Done with ${many(count, 'message', 'messages')}.`,
  notDone: (why: string) => `That was not done. ${why}`, noArchive: 'There is no archive folder.',
  destroyTitle: (count: number) => (count === 1 ? 'Delete this message for ever?' : `Delete ${count} messages for ever?`), destroyText: 'This cannot be undone.', destroy: 'Delete for ever',
  newFolder: 'New folder', newSubfolder: 'New folder inside', folderName: 'Name of the folder', rename: 'Rename', readAll: 'Mark all as read', emptyIt: 'Empty',
  emptyTitle: (name: string) => `Empty “${name}”?`, removeFolderTitle: (name: string) => `Delete the folder “${name}”?`,
  removeFolderText: (count: number) => `The ${many(count, 'message', 'messages')} in it will be deleted as well.`,
  folderMenu: (name: string) => `What to do with ${name}`, fold: (name: string) => `Folders inside ${name}`, folderOrLetters: 'Name, or first letters', noSuchFolder: 'There is no such folder.',
  colours: { red: 'Red', orange: 'Orange', green: 'Green', blue: 'Blue', violet: 'Violet', yellow: 'Yellow', grey: 'Grey' },
  space: 'Space', used: (used: string, all: string) => `${used} of ${all} used`,

  // Search.
  search: 'Search', searchIn: 'Search mail', clearSearch: 'Clear the search', operators: 'Search for', keepSearch: 'Keep', searches: 'Searches', withoutChip: (text: string) => `Remove ${text}`, searching: 'Searching',
  searchHelp: [['from:chen', 'who wrote it'], ['to:ann', 'to whom'], ['subject:"annual plan"', 'these words in the subject'], ['has:attachment', 'with a file'], ['is:unread', 'not read yet'], ['after:2026-01-01', 'since that day; before: as well'], ['larger:1MB', 'large ones; smaller: as well'], ['in:archive', 'in that folder'], ['-invoice', 'without that word']] as [string, string][],

  // Reading.
  letter: 'Message text', letterFrom: (name: string) => `Message from ${name}`, from: 'From', to: 'To', cc: 'Cc', bcc: 'Bcc', date: 'Date', size: 'Size', subject: 'Subject', sender: 'Sender', answersTo: 'Reply to',
  outside: 'External', outsideText: 'This message came from outside of your organisation.',
  posing: (claimed: string, really: string) => `The name says ${claimed}, but this came from ${really}. Be careful.`, answersElsewhere: (to: string) => `Replies to this message go to ${to}.`,
  verdicts: { own: 'Sent within your own mail system.', verified: 'The sender is verified.', partly: 'The sending server is verified, the sender’s address is not.', failed: 'This sender could not be verified: the address may be forged.', unknown: 'Nothing is known about whether the sender is genuine.' },
  imagesLeftOut: (count: number) => `${many(count, 'remote image', 'remote images')} not loaded, to protect you.`, imagesNever: (count: number) => `${many(count, 'remote image was', 'remote images were')} left out.`, showImages: 'Show images',
  linkTitle: 'This link leads elsewhere', linkText: (host: string, url: string) => `It really leads to ${host}: ${url.slice(0, 300)}`, openLink: 'Open it anyway',
  showHtml: 'Show as sent', showPlain: 'Show as plain text', headers: 'Headers', source: 'Source', saveEml: 'Save as .eml', print: 'Print', cut: 'This message is very long; the rest is in its file.',
  note: 'Note', addNote: 'Add a note', noteDue: 'Keep in sight until', encoding: 'Text encoding', encodingAuto: 'As the message says',
  attachments: 'Attachments', nameless: 'attachment', download: (name: string) => `Download ${name}`,
  delivered: { queued: 'on its way', yes: 'delivered', no: 'not delivered', unknown: 'handed on' },

  // Writing.
  write: 'Write', reply: 'Reply', replyAll: 'Reply to all', forward: 'Forward', forwardAttached: 'Forward as attachment', replyPrefix: 'Re:', forwardPrefix: 'Fwd:', forwarded: '---------- Forwarded message ----------',
  wrote: (when: string, who: string) => `On ${when}, ${who} wrote:`, newLetter: 'New message', closeDraft: 'Close this draft', ccBcc: 'Cc Bcc', letterText: 'Text of the message',
  send: 'Send', sendLater: 'Send later', attach: 'Attach files', discard: 'Discard', dropHere: 'Drop files here', atMoment: 'At this time',
  inAnHour: 'In an hour', tomorrowMorning: 'Tomorrow at 8:00', tomorrowAfternoon: 'Tomorrow at 14:00', mondayMorning: 'Monday at 8:00',
  stateDirty: 'Not saved yet', stateSaving: 'Saving…', stateSaved: 'Draft saved', stateFailed: 'Not saved; trying again',
  format: 'Format', bold: 'Bold', italic: 'Italic', underline: 'Underline', bullets: 'Bullets', numbers: 'Numbers', quote: 'Quote', font: 'Font', fontPlain: 'Plain', colour: 'Colour', link: 'Link', linkAddress: 'Address of the link', image: 'Image', emoji: 'Emoji', table: 'Table', clearFormat: 'Remove formatting', toPlain: 'Plain text', toRich: 'Rich text',
  colourNames: ['Ink', 'Red', 'Orange', 'Green', 'Blue', 'Violet', 'Grey'],
  sent: 'Sent.', willSend: (when: string) => `Will be sent on ${when}.`, tooLate: 'Too late: it has already been sent.', notSent: (why: string) => `Not sent; it is among your drafts. ${why}`,
  noRecipient: 'Please say to whom.', attachmentFailed: 'An attachment could not be uploaded. Remove it or try again.', stillUploading: 'Attachments are still on their way up.', cannotSend: 'Sending is not possible with this account.',
  forgotAttachment: 'You mention an attachment, but there is none.', noSubjectYet: 'Send without a subject?', sendAnyway: 'Send anyway', discardTitle: 'Discard this draft?', notSaved: 'The last changes could not be saved.',
  tooLarge: (name: string) => `${name} is too large.`, uploading: (name: string) => `Uploading ${name}`, typo: (meant: string) => `Did you mean ${meant}?`,

  // People.
  findPeople: 'Find people', nobodyFound: 'Nobody here yet.', choosePerson: 'Choose somebody.', person: 'Card', groups: 'Groups', allPeople: 'My contacts', recentPeople: 'Recent', directory: 'Organisation',
  newPerson: 'New contact', addPerson: 'Add to contacts', showPerson: 'Show contact', edit: 'Edit', newGroup: 'New group', groupName: 'Name of the group', groupMenu: (name: string) => `What to do with the group ${name}`, writeToGroup: 'Write to all of them',
  removeGroup: (name: string) => `Delete the group “${name}”?`, removeGroupText: 'Those in it stay among your contacts.', removePerson: (name: string) => `Delete ${name}?`, lettersOfThem: 'Their messages', peopleCount: (count: number) => many(count, 'person', 'people'),
  nickname: 'Nickname', company: 'Organisation', department: 'Department', jobTitle: 'Position', emailAddress: 'E-mail', phone: 'Phone', postalAddress: 'Address', birthday: 'Birthday', contactPlace: 'Kind', contactPlaces: { none: 'Other', work: 'Work', private: 'Private' }, addOne: 'Add another',
  choosePhoto: 'Choose a photo', removePhoto: 'Remove the photo', cropPhoto: 'Choose the part to show', zoom: 'Size', use: 'Use it', noPicture: 'This picture cannot be read.', noAddress: (text: string) => `${text} is not an e-mail address.`, nothingFilled: 'Please fill in a name or an address.',
  importExport: 'Import and export', importPeople: 'Import vCard or CSV', exportVcard: 'Export as vCard', exportCsv: 'Export as CSV', importing: 'Importing…', nothingToImport: 'No contacts were found in this file.',
  imported: (made: number, skipped: number, failed: number) => `${many(made, 'contact', 'contacts')} imported${skipped > 0 ? `, ${skipped} already there` : ''}${failed > 0 ? `, ${failed} not accepted` : ''}.`,

  // Settings.
  pages: { looks: 'Appearance', identities: 'Identities and signatures', away: 'Away message', sessions: 'Devices and sessions', about: 'About' },
  language: 'Language', theme: 'Light', themes: { auto: 'As my device', light: 'Light', dark: 'Dark', contrast: 'High contrast' }, skin: 'Colour', skins: { indigo: 'Indigo', cinnabar: 'Cinnabar', moss: 'Moss', plum: 'Plum' },
  density: 'Density', densities: { airy: 'Airy', normal: 'Normal', dense: 'Dense' }, undoTime: 'Time to take a sent message back', seconds: (count: number) => `${count} seconds`, writePlain: 'Write in plain text', notifications: 'Notify me of new mail',
  identity: 'Identity', identitiesHint: 'Under which name you write, and what stands below it. One address may have several signatures: each is an identity of its own.', displayName: 'Name', signature: 'Signature', addIdentity: 'Add another', removeIdentity: 'Delete this identity?',
  awayOn: 'Answer automatically while I am away', awayFrom: 'From', awayTo: 'Until', awayText: 'Message',
  sessionsHint: 'Where you are logged in.', unknownDevice: 'Unknown device', thisDevice: 'This device', logoutHere: 'Log out here',
  aboutText: 'Anser carries your letters. Its name is that of the wild geese, which carried letters in old stories.', account: 'Account', largestFile: 'Largest file',

  // Keys.
  keys: 'This sheet', groupMove: 'Moving about', groupAct: 'Doing', groupWrite: 'Writing', groupGo: 'Going',
  keyNext: 'Next', keyPrevious: 'Previous', keyPageDown: 'Ten down', keyPageUp: 'Ten up', keyFirst: 'First', keyLast: 'Last', keyOpen: 'Open', keyBack: 'Back', keySelect: 'Select', keySelectAll: 'Select all',

  // Trouble.
  troubleUnknown: 'Something went wrong.',
  troubles: {
    offline: 'The server cannot be reached.', notFound: 'It is no longer there.', forbidden: 'You may not do that.', accountNotFound: 'This account is not there.', serverFail: 'The server had trouble.', serverUnavailable: 'The server is busy.',
    tooLarge: 'It is too large.', overQuota: 'There is no space left.', stateMismatch: 'It was changed elsewhere meanwhile.', mailboxHasChild: 'There are folders inside.', mailboxHasEmail: 'There are messages inside.', invalidProperties: 'The server does not take that.',
    forbiddenToSend: 'You may not send this.', forbiddenFrom: 'You may not send as this address.', noRecipients: 'There is no recipient.', invalidRecipients: 'An address is wrong.', cannotUnsend: 'It has already been sent.', tooManyRecipients: 'There are too many recipients.',
    '401': 'Please log in again.', '413': 'It is too large.', '429': 'Too much at once; please wait a moment.', '404': 'This is not offered here.',
  },
};

export type Words = typeof en;
