//! Data files of Outlook's as tests want them, of both widths and in every encoding ([MS-PST]).

use std::collections::BTreeMap;

use anser_pst::Encoding;

/// A value of a property.
#[derive(Clone, Debug)]
pub enum Of {
    /// A number of 32 bits.
    Number(i32),
    /// Seconds since 1970.
    Time(i64),
    /// A text.
    Text(&'static str),
    /// A text in the code page of its message.
    Coded(Vec<u8>),
    /// Octets, of whatever number.
    Octets(Vec<u8>),
    /// A message within this one.
    Message(Box<Item>),
}

/// A message or a folder, or an attachment.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Its properties.
    pub properties: Vec<(u16, Of)>,
    /// Kind, name and address of each recipient.
    pub recipients: Vec<(i32, &'static str, &'static str)>,
    /// Its attachments.
    pub attachments: Vec<Item>,
}

/// A file that grows.
#[derive(Debug)]
pub struct Outlook {
    is_wide: bool,
    encoding: Encoding,
    blocks: BTreeMap<u64, Vec<u8>>,
    nodes: BTreeMap<u32, (u64, u64, u32)>,
}

/// A piece of a heap by its number, counted from 1.
fn piece(number: usize) -> u32 {
    (number << 5) as u32
}

impl Outlook {
    /// One with a store and the folder above all.
    pub fn new(is_wide: bool, encoding: Encoding) -> Self {
        let mut file = Self { is_wide, encoding, blocks: BTreeMap::new(), nodes: BTreeMap::new() };
        let mut entry = vec![0; 24];
        entry[20..].copy_from_slice(&0x8022_u32.to_le_bytes());
        file.add(0x21, 0, &Item { properties: vec![(0x35e0, Of::Octets(entry))], ..Item::default() });
        file.add(0x122, 0x122, &Item::default());
        file.add(0x8022, 0x122, &Item { properties: vec![(0x3001, Of::Text("Top"))], ..Item::default() });
        file
    }

    /// Adds a node of this id below another one.
    pub fn add(&mut self, id: u32, parent: u32, item: &Item) {
        let (data, within) = self.item(item);
        self.nodes.insert(id, (data, within, parent));
    }

    fn item(&mut self, item: &Item) -> (u64, u64) {
        let mut within = Vec::new();
        let (mut records, mut pieces) = (Vec::new(), vec![Vec::new(), Vec::new()]);
        let mut properties = item.properties.clone();
        properties.sort_by_key(|one| one.0);
        for (id, value) in &properties {
            let (kind, octets) = match value {
                Of::Number(value) => {
                    records.extend(record(*id, 0x03, *value as u32));
                    continue;
                }
                Of::Time(unix) => (0x40, ((unix + 11_644_473_600) * 10_000_000).to_le_bytes().to_vec()),
                Of::Text(text) => (0x1f, text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
                Of::Coded(octets) => (0x1e, octets.clone()),
                Of::Octets(octets) => (0x102, octets.clone()),
                Of::Message(message) => {
                    let (data, below) = self.item(message);
                    let id = 0x24 + (within.len() as u32) * 0x20;
                    within.push((id, data, below));
                    (0x0d, [id.to_le_bytes(), [0; 4]].concat())
                }
            };
            let place = if octets.len() > 3_000 {
                let (id, data) = (0x1f + (within.len() as u32 + 1) * 0x20, self.data(&octets));
                within.push((id, data, 0));
                id
            } else {
                pieces.push(octets);
                piece(pieces.len())
            };
            records.extend(record(*id, kind, place));
        }
        pieces[0] = [&[0xb5, 2, 6, 0][..], &piece(2).to_le_bytes()].concat();
        pieces[1] = records;
        let data = heap(0xbc, piece(1), &pieces);
        let data = self.data(&data);
        if !item.recipients.is_empty() {
            let table = recipients(&item.recipients, self.is_wide);
            within.push((0x692, self.data(&table), 0));
        }
        for (number, attachment) in item.attachments.iter().enumerate() {
            let (data, below) = self.item(attachment);
            within.push((0x8005 + number as u32 * 0x20, data, below));
        }
        within.sort_unstable();
        (data, if within.is_empty() { 0 } else { self.leads_to_nodes(&within) })
    }

    fn block(&mut self, octets: Vec<u8>, is_inner: bool) -> u64 {
        let id = (self.blocks.len() as u64 + 1) * 4 + if is_inner { 2 } else { 0 };
        self.blocks.insert(id, octets);
        id
    }

    fn number(&self, value: u64) -> Vec<u8> {
        value.to_le_bytes()[..if self.is_wide { 8 } else { 4 }].to_vec()
    }

    /// The octets of a node in as many blocks as they take.
    fn data(&mut self, octets: &[u8]) -> u64 {
        const MOST: usize = 8_176;
        if octets.len() <= MOST {
            return self.block(octets.to_vec(), false);
        }
        let ids: Vec<u64> = octets.chunks(MOST).map(|chunk| self.block(chunk.to_vec(), false)).collect();
        let lists: Vec<u64> = ids.chunks(1_000).map(|ids| self.leads_to_blocks(1, ids, octets.len())).collect();
        if lists.len() == 1 { lists[0] } else { self.leads_to_blocks(2, &lists, octets.len()) }
    }

    fn leads_to_blocks(&mut self, level: u8, ids: &[u64], size: usize) -> u64 {
        let mut octets = [&[1, level][..], &(ids.len() as u16).to_le_bytes(), &(size as u32).to_le_bytes()].concat();
        ids.iter().for_each(|id| octets.extend(self.number(*id)));
        self.block(octets, true)
    }

    fn leads_to_nodes(&mut self, within: &[(u32, u64, u64)]) -> u64 {
        let mut octets = [&[2, 0][..], &(within.len() as u16).to_le_bytes()].concat();
        octets.resize(if self.is_wide { 8 } else { 4 }, 0);
        for (id, data, below) in within {
            for number in [u64::from(*id), *data, *below] {
                octets.extend(self.number(number));
            }
        }
        self.block(octets, true)
    }

    /// The whole file.
    pub fn file(&self) -> Vec<u8> {
        let mut file = vec![0; 0x400];
        let mut places = Vec::new();
        for (id, octets) in &self.blocks {
            file.resize(file.len().next_multiple_of(64), 0);
            let (place, mut octets) = (file.len() as u64, octets.clone());
            let size = octets.len() as u16;
            if id & 2 == 0 {
                self.encode(&mut octets, *id);
            }
            file.extend(octets);
            let rest = [&size.to_le_bytes()[..], &2_u16.to_le_bytes(), &[0; 4]].concat();
            places.push((
                *id,
                [self.number(*id), self.number(place), rest[..if self.is_wide { 8 } else { 4 }].to_vec()].concat(),
            ));
        }
        let nodes = self.nodes.iter().map(|(id, (data, within, parent))| {
            let numbers = [u64::from(*id), *data, *within].map(|number| self.number(number)).concat();
            let rest = [parent.to_le_bytes(), [0; 4]].concat();
            (u64::from(*id), [numbers, rest[..if self.is_wide { 8 } else { 4 }].to_vec()].concat())
        });
        let nodes: Vec<_> = nodes.collect();
        let (nodes, blocks) = (self.tree(&mut file, 0x81, nodes), self.tree(&mut file, 0x80, places));
        file[..4].copy_from_slice(b"!BDN");
        file[8..10].copy_from_slice(b"SM");
        file[10] = if self.is_wide { 23 } else { 15 };
        let (at, width) = if self.is_wide { ((224, 240, 513), 8) } else { ((188, 196, 461), 4) };
        file[at.0..at.0 + width].copy_from_slice(&nodes.to_le_bytes()[..width]);
        file[at.1..at.1 + width].copy_from_slice(&blocks.to_le_bytes()[..width]);
        file[at.2] = self.encoding as u8;
        file
    }

    fn encode(&self, octets: &mut [u8], id: u64) {
        if self.encoding == Encoding::Permuted {
            let mut decoded: Vec<u8> = (0..=u8::MAX).collect();
            self.encoding.decode(&mut decoded, id);
            let encoded = |octet: u8| decoded.iter().position(|other| *other == octet).unwrap_or(0) as u8;
            octets.iter_mut().for_each(|octet| *octet = encoded(*octet));
        } else {
            // The other two are their own inverse.
            self.encoding.decode(octets, id);
        }
    }

    /// Pages of a tree, of few entries each so that there is more than one level; where the first one is.
    fn tree(&self, file: &mut Vec<u8>, kind: u8, mut entries: Vec<(u64, Vec<u8>)>) -> u64 {
        for level in 0.. {
            let mut above = Vec::new();
            for some in entries.chunks(5) {
                file.resize(file.len().next_multiple_of(512), 0);
                let (place, counts) = (file.len(), if self.is_wide { 488 } else { 496 });
                let step = some[0].1.len();
                file.resize(place + 512, 0);
                for (number, (_, entry)) in some.iter().enumerate() {
                    file[place + number * step..place + (number + 1) * step].copy_from_slice(entry);
                }
                let counted = [some.len() as u8, (counts / step) as u8, step as u8, level];
                file[place + counts..place + counts + 4].copy_from_slice(&counted);
                file[place + if self.is_wide { 496 } else { 500 }] = kind;
                let entry = [self.number(some[0].0), self.number(0), self.number(place as u64)].concat();
                above.push((some[0].0, entry));
            }
            if above.len() == 1 {
                return file.len() as u64 - 512;
            }
            entries = above;
        }
        0
    }
}

fn record(id: u16, kind: u16, value: u32) -> Vec<u8> {
    [&id.to_le_bytes()[..], &kind.to_le_bytes(), &value.to_le_bytes()].concat()
}

/// A heap of one block. It tells a wrong number of free places, as that of programs other than Outlook.
fn heap(client: u8, root: u32, pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = vec![0, 0, 0xec, client];
    octets.extend(root.to_le_bytes());
    octets.extend([0; 4]);
    let mut places = Vec::new();
    for piece in pieces {
        places.push(octets.len() as u16);
        octets.extend(piece);
    }
    places.push(octets.len() as u16);
    let map = octets.len() as u16;
    octets[..2].copy_from_slice(&map.to_le_bytes());
    octets.extend((pieces.len() as u16).to_le_bytes());
    octets.extend(7_u16.to_le_bytes());
    places.iter().for_each(|place| octets.extend(place.to_le_bytes()));
    octets
}

/// The table of recipients of a message.
fn recipients(all: &[(i32, &str, &str)], is_wide: bool) -> Vec<u8> {
    const SIZE: u16 = 17;
    let columns = [(0x03_u16, 0x0c15_u16, 4_u16, 4_u8), (0x1f, 0x3001, 8, 4), (0x1f, 0x39fe, 12, 4)];
    let mut head = vec![0x7c, columns.len() as u8];
    [16, 16, 16, SIZE].iter().for_each(|end: &u16| head.extend(end.to_le_bytes()));
    head.extend(piece(2).to_le_bytes());
    head.extend(piece(4).to_le_bytes());
    head.extend([0; 4]);
    for (bit, (kind, id, at, size)) in columns.iter().enumerate() {
        head.extend([kind.to_le_bytes(), id.to_le_bytes(), at.to_le_bytes(), [*size, bit as u8]].concat());
    }
    let width = if is_wide { 4 } else { 2 };
    let index = [&[0xb5, 4, width as u8, 0][..], &piece(3).to_le_bytes()].concat();
    let mut pieces = vec![head, index, Vec::new(), Vec::new()];
    for (row, (kind, name, address)) in all.iter().enumerate() {
        let mut cells = [(row as u32).to_le_bytes(), kind.to_le_bytes()].concat();
        for text in [name, address] {
            pieces.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
            cells.extend(piece(pieces.len()).to_le_bytes());
        }
        cells.push(if address.is_empty() { 0b1100_0000 } else { 0b1110_0000 });
        pieces[3].extend(cells);
        pieces[2].extend((row as u32).to_le_bytes());
        pieces[2].extend(&(row as u32).to_le_bytes()[..width]);
    }
    heap(0x7c, piece(1), &pieces)
}
