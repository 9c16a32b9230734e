//! What a beacon keeps between its turns: whatever it likes, made when it is first asked for.

use std::any::Any;

/// One configured beacon's own. Dropping it ends what it holds: watches, files, programs.
#[derive(Default)]
pub struct Kept(Option<Box<dyn Any + Send>>);

impl Kept {
    /// What is kept, made anew the first time.
    pub fn of<T: Default + Send + 'static>(&mut self) -> &mut T {
        if !self.0.as_ref().is_some_and(|kept| kept.is::<T>()) {
            self.0 = Some(Box::new(T::default()));
        }
        match self.0.as_mut().and_then(|kept| kept.downcast_mut()) {
            Some(kept) => kept,
            None => unreachable!("it was put there just now"),
        }
    }

    /// Lets it go.
    pub fn close(&mut self) {
        self.0 = None;
    }
}
