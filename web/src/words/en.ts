const many = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;

export const en = {
  // The frame.
  places: 'Places', mail: 'Mail', people: 'People', settings: 'Settings', help: 'Help', folders: 'Folders', tabs: 'Open letters',
  skip: 'To the messages', logout: 'Log out', lineLost: 'No connection; trying again', cannotStart: 'Your mail cannot be shown now', again: 'Try again',
  loading: 'Loading…', close: 'Close', cancel: 'Cancel', more: 'More', undo: 'Undo', stop: 'Stop', keep: 'Save', kept: 'Saved.', notKept: (why: string) => `That could not be kept for the next time. ${why}`, remove: 'Delete', create: 'Create', insert: 'Insert',
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
  doneCopied: (count: number, to: string) => (count === 1 ? `Copied to ${to}.` : `${count} messages copied to ${to}.`),
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
  letter: 'Message text', letterFrom: (name: string) => `Message from ${name}`, from: 'From', to: 'To', cc: 'Cc', bcc: 'Bcc', date: 'Date', size: 'Size', subject: 'Subject', sender: 'Sender', answersTo: 'Reply to', receiptAsked: (who: string) => `${who} would like to know that you have read this.`, receiptTell: 'Tell them', receiptNot: 'Do not', receiptSent: 'They have been told.',
  outside: 'External', outsideText: 'This message came from outside of your organisation.',
  posing: (claimed: string, really: string) => `The name says ${claimed}, but this came from ${really}. Be careful.`, answersElsewhere: (to: string) => `Replies to this message go to ${to}.`,
  verdicts: { own: 'Sent within your own mail system.', verified: 'The sender is verified.', partly: 'The sending server is verified, the sender’s address is not.', failed: 'This sender could not be verified: the address may be forged.', unknown: 'Nothing is known about whether the sender is genuine.' },
  imagesLeftOut: (count: number) => `${many(count, 'remote image', 'remote images')} not loaded, to protect you.`, imagesNever: (count: number) => `${many(count, 'remote image was', 'remote images were')} left out.`, showImages: 'Show images', alwaysImages: 'Always for this sender', imagesAllowed: (who: string) => `Images of ${who} are always shown.`, noLonger: 'No longer',
  linkTitle: 'This link leads elsewhere', linkText: (host: string, url: string) => `It really leads to ${host}: ${url.slice(0, 300)}`, openLink: 'Open it anyway',
  showHtml: 'Show as sent', showPlain: 'Show as plain text', headers: 'Headers', source: 'Source', saveEml: 'Save as .eml', print: 'Print', cut: 'This message is very long; the rest is in its file.',
  openInTab: 'Open in a tab', closeTab: (name: string) => `Close the tab ${name}`, newTag: 'New tag', saveZip: 'Save as .zip', saveMbox: 'Save as .mbox', saving: 'Saving…', tooMuchAtOnce: 'That is too much for one file; please select fewer.', letterInside: 'Message inside', notALetter: 'This is not a message.',
  notes: 'Notes', findNotes: 'Search the notes', noNotes: 'No notes.', lookalike: (theirs: string, ours: string) => `${theirs} looks like ${ours}, but is another domain. Be careful.`, linkOdd: { number: 'This link leads to a number, not to a name', letters: 'The letters of this link may not be what they look like', user: 'This link hides where it leads', alike: 'This link looks like one of ours, but is not' },
  reminders: (count: number) => many(count, 'reminder', 'reminders'), starredUnread: (count: number) => many(count, 'unread message with a star', 'unread messages with a star'), note: 'Note', addNote: 'Add a note', noteDue: 'Keep in sight until', encoding: 'Text encoding', encodingAuto: 'As the message says',
  cannotShow: (name: string) => `${name} cannot be shown here. It is being downloaded.`, attachments: 'Attachments', nameless: 'attachment', download: (name: string) => `Download ${name}`,
  deliveryOf: 'Delivery', recall: 'Recall', recallTitle: 'Take this message back?', recallText: 'It goes from the mailboxes of your organisation where nobody has opened it. Messages on other servers cannot be taken back.', recallResults: 'Recalled', delivered: { queued: 'on its way', yes: 'delivered', no: 'not delivered', unknown: 'handed on' },

  // Writing.
  write: 'Write', reply: 'Reply', replyAll: 'Reply to all', forward: 'Forward', forwardAttached: 'Forward as attachment', replyPrefix: 'Re:', forwardPrefix: 'Fwd:', forwarded: '---------- Forwarded message ----------',
  wrote: (when: string, who: string) => `On ${when}, ${who} wrote:`, newLetter: 'New message', closeDraft: 'Close this draft', ccBcc: 'Cc Bcc', letterText: 'Text of the message',
  send: 'Send', sendLater: 'Send later', attach: 'Attach files', discard: 'Discard', dropHere: 'Drop files here', atMoment: 'At this time',
  inAnHour: 'In an hour', tomorrowMorning: 'Tomorrow at 8:00', tomorrowAfternoon: 'Tomorrow at 14:00', mondayMorning: 'Monday at 8:00',
  stateDirty: 'Not saved yet', stateSaving: 'Saving…', stateSaved: 'Draft saved', stateFailed: 'Not saved; trying again',
  format: 'Format', bold: 'Bold', italic: 'Italic', underline: 'Underline', bullets: 'Bullets', numbers: 'Numbers', quote: 'Quote', font: 'Font', fontPlain: 'Plain', colour: 'Colour', link: 'Link', linkAddress: 'Address of the link', image: 'Image', emoji: 'Emoji', table: 'Table', clearFormat: 'Remove formatting', toPlain: 'Plain text', toRich: 'Rich text',
  colourNames: ['Ink', 'Red', 'Orange', 'Green', 'Blue', 'Violet', 'Grey'],
  individually: 'Send to each separately', askReceipt: 'Ask for a read receipt', papers: { none: 'Plain', rice: 'Rice paper', lines: 'Ruled', dawn: 'Dawn', pine: 'Pine', night: 'Night' }, useTemplate: (name: string) => `Template: ${name}`, keepTemplate: 'Keep as a template', templateName: 'Name of the template',
  sent: 'Sent.', willSend: (when: string) => `Will be sent on ${when}.`, tooLate: 'Too late: it has already been sent.', tooLateFor: (who: string) => `Too late for ${who}: already sent.`, notSent: (why: string) => `Not sent; it is among your drafts. ${why}`,
  noRecipient: 'Please say to whom.', attachmentFailed: 'An attachment could not be uploaded. Remove it or try again.', stillUploading: 'Attachments are still on their way up.', cannotSend: 'Sending is not possible with this account.',
  forgotAttachment: 'You mention an attachment, but there is none.', noSubjectYet: 'Send without a subject?', sendAnyway: 'Send anyway', discardTitle: 'Discard this draft?', notSaved: 'The last changes could not be saved.',
  tooLarge: (name: string) => `${name} is too large.`, uploading: (name: string) => `Uploading ${name}`, typo: (meant: string) => `Did you mean ${meant}?`,

  // People.
  findPeople: 'Find people', nobodyFound: 'Nobody here yet.', choosePerson: 'Choose somebody.', person: 'Card', groups: 'Groups', allPeople: 'My contacts', recentPeople: 'Recent', directory: 'Organisation',
  newPerson: 'New contact', addPerson: 'Add to contacts', showPerson: 'Show contact', edit: 'Edit', newGroup: 'New group', groupName: 'Name of the group', groupMenu: (name: string) => `What to do with the group ${name}`, writeToGroup: 'Write to all of them',
  removeGroup: (name: string) => `Delete the group “${name}”?`, removeGroupText: 'Those in it stay among your contacts.', removePerson: (name: string) => `Delete ${name}?`, lettersOfThem: 'Their messages', peopleCount: (count: number) => many(count, 'person', 'people'),
  nickname: 'Nickname', company: 'Organisation', department: 'Department', jobTitle: 'Position', emailAddress: 'E-mail', phone: 'Phone', postalAddress: 'Address', birthday: 'Birthday', contactPlace: 'Kind', contactPlaces: { none: 'Other', work: 'Work', private: 'Private' }, addOne: 'Add another',
  choosePhoto: 'Choose a photo', removePhoto: 'Remove the photo', cropPhoto: 'Choose the part to show', zoom: 'Size', use: 'Use it', noPicture: 'This picture cannot be read.', noAddress: (text: string) => `${text} is not an e-mail address.`, nothingFilled: 'Please fill in a name or an address.', noBook: 'There is no address book that you may write in.',
  importExport: 'Import and export', importPeople: 'Import vCard or CSV', exportVcard: 'Export as vCard', exportCsv: 'Export as CSV', importing: 'Importing…', nothingToImport: 'No contacts were found in this file.',
  imported: (made: number, skipped: number, failed: number) => `${many(made, 'contact', 'contacts')} imported${skipped > 0 ? `, ${skipped} already there` : ''}${failed > 0 ? `, ${failed} not accepted` : ''}.`,

  // Settings.
  pages: { looks: 'Appearance', identities: 'Identities and signatures', rules: 'Rules', senders: 'Blocked and allowed', forwarding: 'Forwarding', away: 'Away message', moving: 'Move and fetch mail', security: 'Password and security', programs: 'Mail programs', sessions: 'Devices and sessions', storage: 'Space', about: 'About' },
  language: 'Language', theme: 'Light', themes: { auto: 'As my device', light: 'Light', dark: 'Dark', contrast: 'High contrast' }, skin: 'Colour', skins: { indigo: 'Indigo', cinnabar: 'Cinnabar', moss: 'Moss', plum: 'Plum', ochre: 'Ochre', lake: 'Lake', rose: 'Rose', ink: 'Ink' },
  density: 'Density', densities: { airy: 'Airy', normal: 'Normal', dense: 'Dense' }, timeZone: 'Time zone', zoneOfDevice: (zone: string) => `As my device (${zone})`, receipts: 'When a sender wants to know that I have read a message', receiptsAsk: 'Ask me', receiptsInside: 'Tell my organisation, ask about others', receiptsNever: 'Never tell', undoTime: 'Time to take a sent message back', seconds: (count: number) => `${count} seconds`, writePlain: 'Write in plain text', notifications: 'Notify me of new mail',
  identity: 'Identity', identitiesHint: 'Under which name you write, and what stands below it. One address may have several signatures: each is an identity of its own.', displayName: 'Name', signature: 'Signature', addIdentity: 'Add another', removeIdentity: 'Delete this identity?',
  awayOn: 'Answer automatically while I am away', awayFrom: 'First day', awayTo: 'Last day', awayText: 'Message', awayDays: 'Days between answers', awayDiffers: 'Another text for people outside', awayInside: 'Message within the organisation', awayOutside: 'Message to people outside', awayEmpty: 'Please write a message.', awayDates: 'The last day is before the first.', awayStanding: 'Your away message is on.', change: 'Change',
  rulesHint: 'What happens to messages as they come in, from top to bottom.', noRules: 'There are no rules yet.', newRule: 'New rule', rulesByHand: 'There is also script that was written by hand. It stays as it is.', showScript: 'Show the script', scriptHint: 'All rules as a Sieve script. What is changed here by hand is kept as it is.', scriptText: 'Sieve script',
  ruleOn: (name: string) => `Rule ${name} is on`, earlier: (name: string) => `Move ${name} up`, later: (name: string) => `Move ${name} down`, removeRule: (name: string) => `Delete the rule “${name}”?`, ruleName: 'Name of the rule', whenMail: 'When a message comes in', allOfThese: 'and all of these hold', anyOfThese: 'and one of these holds', allMail: 'All messages', addCondition: 'Add a condition', thenDo: 'Then', addDeed: 'Add something to do', stopHere: 'Look at no further rules', ruleUnfinished: 'A condition or an act is not filled in yet.',
  conditionOf: (at: number) => `Condition ${at}`, howOf: (at: number) => `How to compare in condition ${at}`, valueOf: (at: number) => `What to look for in condition ${at}`, deedOf: (at: number) => `Act ${at}`, severalByComma: 'Several with commas between', noAttachment: 'Has no attachment', reason: 'Reason', keepCopy: 'Keep a copy here', not: 'not: ', onlyComing: (what: string) => `Not done to messages that are already here: ${what}.`, forwardRuleTitle: (to: string) => `Forward such mail to ${to}?`, andJoin: ' and ', orJoin: ' or ',
  conditions: { from: 'Sender', to: 'To', cc: 'Cc', recipient: 'Any recipient', subject: 'Subject', body: 'Text', header: 'Header field', larger: 'Larger than', smaller: 'Smaller than', attachment: 'Attachment', exists: 'Has the header field', today: 'Date' },
  hows: { contains: 'contains', is: 'is', begins: 'begins with', ends: 'ends with', matches: 'matches (* ?)', domain: 'has the domain', regex: 'matches (regular expression)' },
  deeds: { file: 'Move to folder', copy: 'Copy to folder', read: 'Mark as read', star: 'Star', keyword: 'Label', forward: 'Forward to', discard: 'Throw away', reject: 'Send back', notify: 'Tell by mail', keep: 'Keep in the inbox' },
  tryRule: 'Try on the last 100 messages', wouldMeet: (count: number, of: number) => `Would apply to ${count} of the last ${of} messages.`, applyToThese: 'Apply to these now',
  sendersHint: 'One a line: an address, or a domain with @ before it. Whoever is allowed gets in, whatever the rules below say.', blockedSenders: 'Blocked', allowedSenders: 'Allowed', blockedGo: 'Mail of blocked senders goes to',
  forwardHint: 'Everything that comes in goes on to another address.', forwardOn: 'Forward all messages', forwardTo: 'To', forwardTitle: (to: string) => `Forward all mail to ${to}?`, forwardText: 'It goes on by itself until you switch this off.', forwardOutside: (who: string) => `${who} is outside of your organisation.`, forwardNothingStays: 'No copy stays here.', forwardYes: 'Forward', forwardStanding: (to: string) => `Your mail is being forwarded to ${to}.`,
  password: 'Password', passwordAgain: 'Please enter your password once more.', goOn: 'Continue', changePassword: 'Change the password', passwordOld: 'Present password', passwordNew: 'New password', passwordRepeat: 'New password once more', passwordsDiffer: 'The two new passwords differ.', passwordChanged: 'The password was changed. All other sessions have ended.', passwordRules: (length: number, kinds: number) => `At least ${many(length, 'character', 'characters')}${kinds > 1 ? ` of ${kinds} kinds: small letters, capitals, digits, signs` : ''}.`, strength: 'Strength', strengths: ['Very weak', 'Weak', 'Fair', 'Good', 'Strong'],
  secondFactor: 'Second factor', totpOff: 'Logging in asks for the password only.', factorOn: (totp: boolean, passkeys: boolean, codes: number) => `Logging in asks for ${[...(totp ? ['a code of your authenticator'] : []), ...(passkeys ? ['a passkey'] : [])].join(' or ')} as well. ${many(codes, 'recovery code is', 'recovery codes are')} left.`, totpPicture: 'The key as a QR code', passkeys: 'Passkeys', passkeysHint: 'A passkey is in your telephone, your computer or a security key, and opens by your finger, your face or its PIN. It can stand for your password at the login.', passkeyAdd: 'Add a passkey', passkeyAdded: 'The passkey was added.', passkeyNotMade: 'No passkey was made.', passkeyName: 'Name of the passkey', passkeyRemove: (name: string) => `Delete the passkey “${name}”?`, noPasskeys: 'No passkeys yet.', passkeyCannot: 'This browser knows no passkeys.', renameOne: (name: string) => `Rename ${name}`, totpAdd: 'Set up an authenticator', totpRemove: 'Remove the authenticator', totpHow: 'Let an authenticator app on your phone read the picture, or type the key into it; then enter the code that it shows.', totpOpen: 'Open in an authenticator on this device', totpCode: 'Code', recoveryRenew: 'New recovery codes', recoveryCodes: 'Recovery codes', recoveryText: 'Each of these lets you in once when the authenticator is lost. They are shown only now.', recoveryKept: 'I have kept them',
  programsHint: 'Each mail program gets a password of its own. Lose a telephone, and only its password goes.', programName: 'Name', programExample: 'Telephone', programDays: 'Good for', noEnd: 'No end', dayCount: (count: number) => many(count, 'day', 'days'), programAdd: 'New app password', programSecret: 'Your app password', programSecretText: 'Enter it in the program. It is shown only now.', programRemove: (name: string) => `Delete the password of ${name}?`, programRemoveText: 'The program can no longer log in.', noPrograms: 'No app passwords yet.', lastUsed: (when: string) => `Last used ${when}`, neverUsed: 'Not used yet', goodUntil: (when: string) => `Good until ${when}`, grants: 'Allowed programs', grantRemove: (name: string) => `Take back what ${name} was allowed?`, grantRemoveText: 'It can no longer come in until you allow it again.', programSettings: 'Mail programs find the servers by themselves. For iPhone, iPad and Mac there is a profile:', appleProfile: 'Profile for Apple devices', logoutOthers: 'Log out everywhere else', findLarge: 'Find large messages',
  sessionsHint: 'Where you are logged in.', unknownDevice: 'Unknown device', thisDevice: 'This device', logoutHere: 'Log out here',
  aboutText: 'Anser carries your letters. Its name is that of the wild geese, which carried letters in old stories.', account: 'Account', largestFile: 'Largest file',

  movingHint: 'Mail of your old mailbox comes here, or that of another account again and again. You can close this page: the server goes on. Nothing is changed or deleted at the other side.',
  moveAdd: 'Move or fetch mail', moveContacts: 'Bring contacts (vCard, CSV)', moveAddress: 'Your address there', moveSteps: 'Prepare there first:', moveUnknown: 'This provider is not known here. Please enter its server.', moveServer: 'Server', moveProtocol: 'Protocol', moveHost: 'Server', movePort: 'Port', moveTls: 'Encryption', moveTlsNone: 'None', movePlain: 'Your password would travel unencrypted.', moveUser: 'User name', moveSecret: 'Password there (or app password)', moveHowOften: 'How often', moveOnce: 'Once', moveEvery: (minutes: number) => (minutes === 1440 ? 'Every day' : minutes === 60 ? 'Every hour' : `Every ${minutes} minutes`), moveInto: 'Into the folder', moveIntoSame: 'The same folders as there', moveLeaves: 'All of it stays at the other side as well.', moveBegin: 'Begin',
  moveStates: { checking: 'Checking', waiting: 'Waiting its turn', between: 'Up to date', running: 'Under way', paused: 'Paused', refused: 'Not let in', done: 'Done' }, moveProgress: (messages: number, total: number, folders: number, foldersTotal: number, bytes: string) => `${messages} of ${total} messages, folder ${folders} of ${foldersTotal}, ${bytes}`,
  moveTotal: 'In all', moveCopied: 'Copied', moveSkipped: 'Were here', moveFailed: 'Failed', moveEnded: (when: string) => `Ended on ${when}`, moveGoOn: 'Go on', movePause: 'Pause', moveAgain: 'Run again', movePassword: 'New password', moveForget: (email: string) => `Forget ${email}?`, moveForgetText: 'Its password is deleted here. Mail that came stays.',

  // Keys.
  keys: 'This sheet', groupMove: 'Moving about', groupAct: 'Doing', groupWrite: 'Writing', groupGo: 'Going',
  keyNext: 'Next', keyPrevious: 'Previous', keyPageDown: 'Ten down', keyPageUp: 'Ten up', keyFirst: 'First', keyLast: 'Last', keyOpen: 'Open', keyBack: 'Back', keySelect: 'Select', keySelectAll: 'Select all',

  elsewhere: 'Your mailbox is still at the old server. What you see here is a copy; until it has moved you can read it, and write in your mail program or the old webmail.', lookAgain: 'Look again',

  // Trouble.
  troubleUnknown: 'Something went wrong.',
  troubles: {
    offline: 'The server cannot be reached.', notFound: 'It is no longer there.', accountReadOnly: 'This mailbox can only be read now.', forbidden: 'You may not do that.', accountNotFound: 'This account is not there.', serverFail: 'The server had trouble.', serverUnavailable: 'The server is busy.',
    tooLarge: 'It is too large.', overQuota: 'There is no space left.', stateMismatch: 'It was changed elsewhere meanwhile.', mailboxHasChild: 'There are folders inside.', mailboxHasEmail: 'There are messages inside.', invalidProperties: 'The server does not take that.',
    forbiddenToSend: 'You may not send this.', forbiddenFrom: 'You may not send as this address.', noRecipients: 'There is no recipient.', invalidRecipients: 'An address is wrong.', cannotUnsend: 'It has already been sent.', tooManyRecipients: 'There are too many recipients.',
    '401': 'Please log in again.', '413': 'It is too large.', '429': 'Too much at once; please wait a moment.', '404': 'This is not offered here.',
  },
};

export type Words = typeof en;
