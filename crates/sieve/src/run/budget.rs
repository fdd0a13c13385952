//! The budget of one message: what all its scripts together may cost.

use std::cell::Cell;

use anser_base::Text;

/// What the scripts of one message may use, all together. [`Fuel::default`] is generous for what people write and little
/// for the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    /// Steps of CPU: a command, a test, a comparison of up to 64 bytes. A million takes some
    /// tens of milliseconds, or some hundreds with the worst of regular expressions.
    pub steps: u64,
    /// Bytes of one variable; what is longer is cut (RFC 5229 §6).
    pub variable: usize,
    /// Bytes of all variables and of all strings that hold variables, together.
    pub memory: usize,
    /// Actions, all kinds.
    pub actions: u32,
    /// Redirections.
    pub redirects: u32,
    /// Notifications.
    pub notifications: u32,
    /// Scripts that include each other, the first one counted.
    pub include_depth: u32,
    /// Scripts included.
    pub includes: u32,
    /// Header fields decoded and compared.
    pub fields: u64,
    /// Bytes of messages that scripts make by changing parts or header.
    pub rewritten: u64,
}

impl Default for Fuel {
    fn default() -> Self {
        Fuel {
            steps: 1_000_000,
            variable: 64 * 1024,
            memory: 4 << 20,
            actions: 100,
            redirects: 10,
            notifications: 10,
            include_depth: 10,
            includes: 200,
            fields: 1_000_000,
            rewritten: 320 << 20,
        }
    }
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exhausted {
    /// [`Fuel::steps`].
    Steps,
    /// [`Fuel::memory`].
    Memory,
    /// [`Fuel::actions`].
    Actions,
    /// [`Fuel::redirects`].
    Redirects,
    /// [`Fuel::notifications`].
    Notifications,
    /// [`Fuel::include_depth`] or [`Fuel::includes`].
    Includes,
    /// [`Fuel::fields`].
    Fields,
    /// [`Fuel::rewritten`].
    Rewritten,
}

impl Exhausted {
    /// What to tell the owner of the script.
    pub fn text(self) -> Text {
        let (en, zh) = match self {
            Exhausted::Steps => ("the script takes too long", "脚本运行时间过长"),
            Exhausted::Memory => ("the script's variables take too much memory", "脚本变量占用内存过多"),
            Exhausted::Actions => ("the script asks for too many actions", "脚本执行的动作过多"),
            Exhausted::Redirects => ("the script redirects a message too often", "脚本转发次数过多"),
            Exhausted::Notifications => ("the script notifies too often", "脚本发送的通知过多"),
            Exhausted::Includes => ("scripts include each other too deeply or too often", "脚本包含层数或次数过多"),
            Exhausted::Fields => ("the script looks at too many header fields", "脚本查看的邮件头字段过多"),
            Exhausted::Rewritten => ("the script rewrites the message too often", "脚本改写邮件次数过多"),
        };
        Text::new(en, zh)
    }
}

/// What is left of [`Fuel`].
pub(crate) struct Budget {
    pub(crate) fuel: Fuel,
    steps: Cell<u64>,
    memory: Cell<usize>,
    actions: Cell<u32>,
    redirects: Cell<u32>,
    notifications: Cell<u32>,
    includes: Cell<u32>,
    fields: Cell<u64>,
    rewritten: Cell<u64>,
}

impl Budget {
    pub(crate) fn new(fuel: Fuel) -> Self {
        Budget {
            fuel,
            steps: Cell::new(fuel.steps),
            memory: Cell::new(fuel.memory),
            actions: Cell::new(fuel.actions),
            redirects: Cell::new(fuel.redirects),
            notifications: Cell::new(fuel.notifications),
            includes: Cell::new(fuel.includes),
            fields: Cell::new(fuel.fields),
            rewritten: Cell::new(fuel.rewritten),
        }
    }

    pub(crate) fn steps(&self, count: u64) -> Result<(), Exhausted> {
        take(&self.steps, count, Exhausted::Steps)
    }

    pub(crate) fn memory(&self, bytes: usize) -> Result<(), Exhausted> {
        take(&self.memory, bytes, Exhausted::Memory)
    }

    pub(crate) fn action(&self) -> Result<(), Exhausted> {
        take(&self.actions, 1, Exhausted::Actions)
    }

    pub(crate) fn redirect(&self) -> Result<(), Exhausted> {
        take(&self.redirects, 1, Exhausted::Redirects)
    }

    pub(crate) fn notification(&self) -> Result<(), Exhausted> {
        take(&self.notifications, 1, Exhausted::Notifications)
    }

    pub(crate) fn include(&self) -> Result<(), Exhausted> {
        take(&self.includes, 1, Exhausted::Includes)
    }

    pub(crate) fn field(&self) -> Result<(), Exhausted> {
        take(&self.fields, 1, Exhausted::Fields)
    }

    pub(crate) fn rewritten(&self, bytes: u64) -> Result<(), Exhausted> {
        take(&self.rewritten, bytes, Exhausted::Rewritten)
    }

    /// Steps used so far.
    pub(crate) fn used(&self) -> u64 {
        self.fuel.steps - self.steps.get()
    }
}

fn take<T>(cell: &Cell<T>, amount: T, what: Exhausted) -> Result<(), Exhausted>
where
    T: Copy + PartialOrd + std::ops::Sub<Output = T> + Default,
{
    let left = cell.get();
    if left < amount {
        cell.set(T::default());
        return Err(what);
    }
    cell.set(left - amount);
    Ok(())
}
