//! Limits the growth of a component's memories and tables.

use wasmtime::ResourceLimiter;

use super::budget::{Budget, Reserved};
use crate::{Error, ErrorCode, Result};

/// Refuses growth beyond the limits, and remembers that it did, since the guest aborts without saying why.
///
/// Nothing is ever given back: a memory never shrinks, and no instance ends before its store.
#[derive(Debug)]
pub(super) struct Growth {
    budget: Budget,
    memories: Grown<Reserved>,
    tables: Grown<usize>,
    refusal: Option<Error>,
}

/// The total, and what the last call added to it: that growth was allowed and may still fail.
#[derive(Debug)]
struct Grown<T> {
    all: T,
    last: usize,
}

impl Growth {
    pub(super) fn of(budget: &Budget) -> Self {
        Self {
            memories: Grown { all: budget.reserve_up_to(0), last: 0 },
            tables: Grown { all: 0, last: 0 },
            budget: budget.clone(),
            refusal: None,
        }
    }

    /// Why it refused, if it ever did.
    pub(super) fn refusal(&self) -> Option<&Error> {
        self.refusal.as_ref()
    }

    fn grow_memory(&mut self, by: usize) -> Result<()> {
        self.memories.last = 0;
        self.memories.all.resize(self.memories.all.bytes().saturating_add(by))?;
        self.memories.last = by;
        Ok(())
    }

    fn grow_table(&mut self, by: usize) -> Result<()> {
        let limit = self.budget.limits().table_elements;
        self.tables.last = 0;
        let all = self.tables.all.saturating_add(by);
        if all > limit {
            let message = format!(
                "the component needs more than its limit of {limit} elements in its tables of functions: raise \
                 `Limits::table_elements`"
            );
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        self.tables = Grown { all, last: by };
        Ok(())
    }

    fn allow(&mut self, grown: Result<()>) -> bool {
        let allowed = grown.is_ok();
        self.refusal = grown.err().or(self.refusal.take());
        allowed
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, now: usize, then: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.grow_memory(then.saturating_sub(now));
        Ok(self.allow(grown))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        let last = std::mem::take(&mut self.memories.last);
        // Shrinking is always allowed.
        let _ = self.memories.all.resize(self.memories.all.bytes() - last);
        Ok(())
    }

    fn table_growing(&mut self, now: usize, then: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.grow_table(then.saturating_sub(now));
        Ok(self.allow(grown))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.tables.all -= std::mem::take(&mut self.tables.last);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::limits::Limits;

    #[test]
    fn memories_and_tables_are_summed() {
        let limits = Limits { memory: 100, table_elements: 10, ..Limits::default() };
        let budget = Budget::new(limits);
        let mut growth = Growth::of(&budget);
        assert!(growth.memory_growing(0, 60, None).unwrap());
        assert!(growth.memory_growing(0, 30, None).unwrap());
        assert!(budget.reserve(11).is_err());
        // It was allowed, but the system had no room.
        assert!(growth.memory_growing(30, 40, None).unwrap());
        growth.memory_grow_failed(wasmtime::Error::msg("no room")).unwrap();
        growth.memory_grow_failed(wasmtime::Error::msg("never allowed")).unwrap();
        assert!(growth.refusal().is_none());
        assert!(!growth.memory_growing(60, 71, None).unwrap());
        assert!(growth.refusal().unwrap().message().contains("`Limits::memory`"));
        assert!(growth.memory_growing(60, 70, None).unwrap());

        assert!(growth.table_growing(0, 6, None).unwrap() && growth.table_growing(0, 4, None).unwrap());
        growth.table_grow_failed(wasmtime::Error::msg("no room")).unwrap();
        assert!(!growth.table_growing(0, 5, None).unwrap());
        assert!(growth.refusal().unwrap().message().contains("`Limits::table_elements`"));
        drop(growth);
        assert_eq!(budget.reserve_up_to(usize::MAX).bytes(), 100);
    }
}
