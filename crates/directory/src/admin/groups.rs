//! Groups and their members.

use anser_base::{Address, Class, Error, Result, TenantId};
use anser_db::{Row, Tx, params};

use crate::admin::{self, PAGE, no_group, one};
use crate::model::{Group, GroupId};
use crate::resolve::GROUP_DEPTH;
use crate::rows::{self, Kind};
use crate::{Directory, names};

/// Members that one group has at most, not counting those of groups within.
pub const GROUP_MEMBERS: usize = 10_000;

impl Directory {
    /// Adds a group without members. `Class::Exists` when the address is taken.
    pub async fn add_group(&self, address: &Address, name: &str) -> Result<GroupId> {
        let (address, name) = (names::new_address(address)?, names::display_name(name)?);
        self.change(move |tx| {
            let domain = admin::domain_for(tx, &address)?;
            let id = GroupId(rows::count_up(tx, "group", 1)?);
            admin::claim(tx, &address, domain.id, Kind::Group, id.0, None)?;
            tx.execute(
                "INSERT INTO dir_groups (id, tenant, domain, address, name) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id.0 as i64, domain.tenant.to_sql(), domain.id.to_sql(), &address.to_string(), &name],
            )?;
            Ok(id)
        })
        .await
    }

    /// Removes a group and its address; its members keep their accounts.
    pub async fn remove_group(&self, id: GroupId) -> Result<()> {
        self.change(move |tx| {
            let group = by_id(tx, id)?.ok_or_else(no_group)?;
            let key = group.address.to_string();
            admin::aliases::forget_address(tx, &key)?;
            tx.execute("DELETE FROM dir_addresses WHERE address = ?1", params![&key])?;
            tx.execute("DELETE FROM dir_members WHERE group_id = ?1", params![id.0 as i64])?;
            tx.execute("DELETE FROM dir_groups WHERE id = ?1", params![id.0 as i64]).map(|_| ())
        })
        .await
    }

    /// A group by its address.
    pub async fn group(&self, address: &Address) -> Result<Option<Group>> {
        let key = names::key(address);
        self.read(move |tx| tx.query_one(&format!("{GROUP} WHERE address = ?1"), params![&key], group)).await
    }

    /// All groups by address, at most [`PAGE`] at a time; `after` is the last address of the page before.
    pub async fn groups(&self, after: Option<&Address>) -> Result<Vec<Group>> {
        let after = after.map(names::key).unwrap_or_default();
        let sql = format!("{GROUP} WHERE address > ?1 ORDER BY address LIMIT ?2");
        self.read(move |tx| tx.query(&sql, params![&after, PAGE as i64], group)).await
    }

    /// Adds members; those that are in already stay. An address in a domain of ours must be somebody's. `Class::Invalid` when a
    /// group would come to contain itself, `Class::Limit` beyond [`GROUP_MEMBERS`].
    pub async fn add_members(&self, id: GroupId, members: Vec<Address>) -> Result<()> {
        self.change(move |tx| {
            by_id(tx, id)?.ok_or_else(no_group)?;
            for member in &members {
                add_member(tx, id, member)?;
            }
            let sql = "SELECT COUNT(*) FROM dir_members WHERE group_id = ?1";
            let count = tx.query_one(sql, params![id.0 as i64], |row| row.int(0))?.unwrap_or(0);
            if count > GROUP_MEMBERS as i64 {
                return Err(Error::new(
                    Class::Limit,
                    format!("a group has at most {GROUP_MEMBERS} members"),
                    format!("一个群组最多 {GROUP_MEMBERS} 个成员"),
                ));
            }
            Ok(())
        })
        .await
    }

    /// Takes a member out. `Class::NotFound` when it is not in.
    pub async fn remove_member(&self, id: GroupId, member: &Address) -> Result<()> {
        let (as_ours, as_outside) = (names::key(member), member.to_string());
        let sql = "DELETE FROM dir_members WHERE group_id = ?1 AND member IN (?2, ?3)";
        let missing = || Error::not_found("that is no member of the group", "该地址不是群组成员");
        self.change(move |tx| one(tx.execute(sql, params![id.0 as i64, &as_ours, &as_outside])?, missing)).await
    }

    /// The members as they were added, groups within not expanded, by address.
    pub async fn members(&self, id: GroupId) -> Result<Vec<Address>> {
        let sql = "SELECT member FROM dir_members WHERE group_id = ?1 ORDER BY member";
        self.read(move |tx| tx.query(sql, params![id.0 as i64], |row| rows::stored_address(&row.text(0)?))).await
    }
}

const GROUP: &str = "SELECT id, tenant, address, name FROM dir_groups";

fn group(row: &Row<'_>) -> Result<Group> {
    Ok(Group {
        id: GroupId(row.int(0)? as u64),
        tenant: TenantId::from_sql(row.int(1)?),
        address: rows::stored_address(&row.text(2)?)?,
        name: row.text(3)?,
    })
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: GroupId) -> Result<Option<Group>> {
    tx.query_one(&format!("{GROUP} WHERE id = ?1"), params![id.0 as i64], group)
}

fn add_member(tx: &mut Tx<'_>, id: GroupId, member: &Address) -> Result<()> {
    let key = names::key(member);
    let text = if rows::domain_by_name(tx, &names::domain_key(member.domain()))?.is_some() {
        let row = rows::address(tx, &key)?;
        let row =
            row.ok_or_else(|| Error::not_found(format!("{key} is nobody's address"), format!("没有地址 {key}")))?;
        if row.kind == Kind::Group && reaches(tx, GroupId(row.target as u64), id)? {
            return Err(Error::invalid(
                format!("{key} contains this group already"),
                format!("{key} 已经包含本群组，不能循环嵌套"),
            ));
        }
        key
    } else {
        member.to_string()
    };
    let sql = "INSERT INTO dir_members (group_id, member) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![id.0 as i64, &text]).map(|_| ())
}

/// Whether a group is, or contains at some depth, another one.
fn reaches(tx: &mut Tx<'_>, from: GroupId, sought: GroupId) -> Result<bool> {
    let sql = "SELECT a.target FROM dir_members m JOIN dir_addresses a ON a.address = m.member
               WHERE m.group_id = ?1 AND a.kind = ?2";
    let (mut level, mut met) = (vec![from], std::collections::HashSet::from([from]));
    for _ in 0..=GROUP_DEPTH {
        if level.contains(&sought) {
            return Ok(true);
        }
        let mut next = Vec::new();
        for group in level {
            let params = params![group.0 as i64, Kind::Group.to_sql()];
            next.extend(tx.query(sql, params, |row| Ok(GroupId(row.int(0)? as u64)))?);
        }
        next.retain(|group| met.insert(*group));
        level = next;
    }
    Ok(false)
}
