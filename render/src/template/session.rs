//! What the renderings of one run share: grains, pillar and options as live objects, and the files that templates come from.
//!
//! In stock, `pillar.get` gives templates the very dict that the minion keeps, and a template that changes it changes it for all
//! that are rendered after it. So the objects are made once for a run, and functions that hand them out work on them directly
//! ([`Live`]); all others are called through the registry with copies.

use super::convert::py_error;
use brine_core::call::{Args as CallArgs, Cx, JobContext};
use brine_core::files::Files;
use brine_core::{Map, Opts, Value};
use brine_jinja::State;
use brine_python::{Args, Obj, PyErr, R, to_value};
use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// An execution function that works on a template's own objects.
pub type Live = fn(&Session, &Args) -> R;

thread_local! {
    static RUNNING: RefCell<Vec<Rc<Session>>> = const { RefCell::new(Vec::new()) };
    static LAST: RefCell<Option<Rc<Objects>>> = const { RefCell::new(None) };
}

/// Grains, pillar and options as live objects, each made of the data when it is first asked for.
struct Objects {
    job: Arc<JobContext>,
    of: (Arc<Map>, Arc<Map>, Arc<Opts>),
    grains: OnceCell<Obj>,
    pillar: OnceCell<Obj>,
    opts: OnceCell<Obj>,
}

impl Objects {
    fn new(cx: &Cx, pillar: OnceCell<Obj>) -> Rc<Self> {
        let of = (cx.grains.clone(), cx.pillar.clone(), cx.opts.clone());
        Rc::new(Self { job: cx.job.clone(), of, grains: OnceCell::new(), pillar, opts: OnceCell::new() })
    }

    fn fit(&self, cx: &Cx) -> bool {
        let (grains, pillar, opts) = &self.of;
        Arc::ptr_eq(&self.job, &cx.job)
            && Arc::ptr_eq(grains, &cx.grains)
            && Arc::ptr_eq(pillar, &cx.pillar)
            && Arc::ptr_eq(opts, &cx.opts)
    }

    /// Those of the call before on this thread, if they are of the same job and data. A state run renders hundreds of files
    /// one after the other, each in a call of its own.
    fn last(cx: &Cx) -> Rc<Self> {
        LAST.with_borrow_mut(|last| match last.as_ref().filter(|objects| objects.fit(cx)) {
            Some(objects) => objects.clone(),
            None => last.insert(Self::new(cx, OnceCell::new())).clone(),
        })
    }
}

/// The state of one run of renderings. Of one thread.
pub struct Session {
    /// The call that renders.
    pub cx: Cx,
    /// Where files come from.
    pub files: Arc<dyn Files>,
    /// Whether these are pillar's templates, which stock calls `_pillar_rend`.
    pub pillar_rend: bool,
    objects: Rc<Objects>,
    kept: RefCell<Vec<Rc<dyn Any>>>,
}

impl Session {
    /// A session of its own for a call, with these files.
    pub fn new(cx: &Cx, files: Arc<dyn Files>) -> Rc<Self> {
        Self::with(cx, files, false, Objects::new(cx, OnceCell::new()))
    }

    fn with(cx: &Cx, files: Arc<dyn Files>, pillar_rend: bool, objects: Rc<Objects>) -> Rc<Self> {
        Rc::new(Self { cx: cx.clone(), files, pillar_rend, objects, kept: RefCell::default() })
    }

    /// A session that compiles pillar: files from the pillar's roots, and the pillar as far as it is known.
    pub fn of_pillar(cx: &Cx, files: Arc<dyn Files>, pillar: Obj) -> Rc<Self> {
        Self::with(cx, files, true, Objects::new(cx, OnceCell::from(pillar)))
    }

    /// The session that runs on this thread, if it belongs to the same job and pillar as the call; otherwise a new one, with the
    /// objects of the call before where they fit.
    pub fn of(cx: &Cx) -> Rc<Self> {
        let running = RUNNING.with(|all| all.borrow().last().cloned());
        running
            .filter(|s| Arc::ptr_eq(&s.cx.job, &cx.job) && Arc::ptr_eq(&s.cx.pillar, &cx.pillar))
            .unwrap_or_else(|| Self::with(cx, cx.host.files(), false, Objects::last(cx)))
    }

    /// Runs something as this session's: calls back into [`Session::of`] find it.
    pub fn enter<T>(self: &Rc<Self>, run: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                RUNNING.with(|all| all.borrow_mut().pop());
            }
        }
        RUNNING.with(|all| all.borrow_mut().push(self.clone()));
        let _leave = Leave;
        run()
    }

    /// The session of a filter, a test or a function.
    ///
    /// # Errors
    /// `RuntimeError` where a template runs without one.
    pub fn of_state(state: &State) -> R<Rc<Session>> {
        state
            .env
            .extra
            .clone()
            .downcast::<Session>()
            .map_err(|_| PyErr::new(brine_python::Kind::RuntimeError, "no session"))
    }

    /// What a renderer keeps from one file of the run to the next: one value of a type, made when it is first asked for.
    pub fn kept<T: Default + 'static>(&self) -> Rc<T> {
        let found = self.kept.borrow().iter().find_map(|kept| kept.clone().downcast::<T>().ok());
        found.unwrap_or_else(|| {
            let new = Rc::new(T::default());
            self.kept.borrow_mut().push(new.clone());
            new
        })
    }

    /// Grains.
    pub fn grains(&self) -> &Obj {
        self.objects.grains.get_or_init(|| map(&self.cx.grains))
    }

    /// Pillar.
    pub fn pillar(&self) -> &Obj {
        self.objects.pillar.get_or_init(|| map(&self.cx.pillar))
    }

    /// Options.
    pub fn opts(&self) -> &Obj {
        self.objects.opts.get_or_init(|| map(self.cx.opts.map()))
    }

    /// Calls an execution function as `salt['mod.fun'](...)` does: on the objects themselves where it is [`Live`], with copies
    /// otherwise.
    ///
    /// # Errors
    /// What the function raises; `TypeError` for arguments that are no data.
    pub fn call(&self, name: &str, args: &Args) -> R {
        if let Some(live) = crate::live::find(name) {
            return live(self, args);
        }
        let positional = args.pos.iter().map(to_value).collect::<R<Vec<Value>>>()?;
        let mut keyword = Map::new();
        for (name, value) in &args.kw {
            keyword.insert(&**name, to_value(value)?);
        }
        let value = self.cx.call(name, CallArgs { positional, keyword }).map_err(py_error)?;
        Ok(Obj::from(&value))
    }
}

fn map(map: &Map) -> Obj {
    Obj::from(brine_python::Dict::from(map))
}
