//! Writes `events/schemas/`. Run by `make generate`; a test fails when it was forgotten.

use std::{fs, path::Path};

use events::{CommandType, schema};

fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    fs::create_dir_all(&folder)?;
    for kind in CommandType::ALL {
        fs::write(folder.join(schema::file_name(kind)), schema::file(kind)?)?;
    }
    Ok(())
}
