//! The migrations of the history's tables, within the program.
//!
//! A database holds the checksum of each file that made it (SHA-384 of its bytes): a file that was
//! released is never changed, also not in its comments or ends of line.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, what it does, and the text.
type File = (i64, &'static str, &'static str);

/// What every version counts, in the driver's own table.
const NUMBERED: [File; 2] = [
    (
        1,
        "calls",
        include_str!("../../../migrations/0001_calls.sql"),
    ),
    (
        2,
        "waits",
        include_str!("../../../migrations/0002_waits.sql"),
    ),
];

/// Counted apart: a version before finds the count that it knows, and starts.
const BESIDE: [File; 1] = [(
    1,
    "calls again",
    include_str!("../../../migrations/beside/0001_calls_again.sql"),
)];

/// Where [`BESIDE`] is counted.
const COUNTED_BESIDE: &str = "_yobiban_migrations_beside";

/// Those that every version counts.
pub(super) fn numbered() -> Migrator {
    Migrator::with_migrations(NUMBERED.map(migration).into())
}

/// Those that are counted apart.
pub(super) fn beside() -> Migrator {
    let mut migrator = Migrator::with_migrations(BESIDE.map(migration).into());
    migrator.dangerous_set_table_name(COUNTED_BESIDE);
    migrator
}

fn migration((number, name, text): File) -> Migration {
    let kind = MigrationType::Simple; // there is no way back
    Migration::new(number, name.into(), kind, SqlStr::from_static(text), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex::encode as hex;
    use std::path::Path;

    fn migrations(migrator: &Migrator) -> Vec<(i64, String, String, bool)> {
        let all = migrator.iter();
        all.map(|m| {
            let (name, sum) = (m.description.to_string(), hex(&*m.checksum));
            (m.version, name, sum, m.no_tx)
        })
        .collect()
    }

    #[tokio::test]
    async fn every_file_of_the_folder_is_within_the_program_as_it_is() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (folder, within) in [("migrations", numbered()), ("migrations/beside", beside())] {
            let files = Migrator::new(root.join(folder)).await.unwrap();
            assert_eq!(migrations(&within), migrations(&files), "{folder}");
        }
    }

    /// The checksums that databases in use hold.
    #[test]
    fn a_database_in_use_knows_every_file_again() {
        let sums: Vec<String> = [numbered(), beside()]
            .iter()
            .flat_map(migrations)
            .map(|(_, _, sum, _)| sum)
            .collect();
        assert_eq!(
            sums,
            [
                "eb5340e02a6f20de13f25d2a4211ee87bbf5a605ce10b56206b5b4ac024d0ecf79a98034bf83c159c0ffd41a674d7056",
                "58236e9095afa1d61789dfb3e96430953a5e673b2ed6125f1f19d1582b3c675248e5d2293cfda39cbfcc80bdedf37b37",
                "279c7c6e7e2130d75b2f42514fd5e300797023a78f2267a88d4861bdfca2e38ecd5cad952578c781e00179c1d4f87dac",
            ]
        );
    }
}
