//! The engine without the front, to measure what the front costs.

use crate::engine::Engine;
use crate::session::{Session, Terms};

/// A connection of the C API.
pub struct Direct {
    session: Session,
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Direct")
    }
}

impl Direct {
    pub fn open(engine: &Engine) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let session = Session::open(&engine.shared, &Terms::default())?;
        Ok(Self { session })
    }

    pub fn query(
        &mut self,
        sql: &str,
        format: &str,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.session.connection.query(sql.as_bytes(), format)?.data)
    }

    /// Inserts the chunks; says how many rows were written.
    pub fn insert<'a>(
        &mut self,
        sql: &str,
        format: &str,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
        let mut insertion = self.session.connection.insert(sql.as_bytes(), format)?;
        for chunk in chunks {
            insertion.append(chunk)?;
        }
        Ok(insertion.done()?.rows_written)
    }
}
