//! Shares of a block's changes at work, on the current rayon pool.
//!
//! A thread takes a share from finding the old leaves to the hash of its subtrees, so that what it reads and writes on the way stays
//! in its cache, and waits for no other. Hashing comes after the edits of several shares, level by level: the lanes of the hasher stay
//! full however small the single edits are. What comes out is the same for every number of threads and shares, but for deletions
//! of records that the store does not have: where a part's branch is taken up by an extension above it.
//!
//! Of five million accounts 10,000 changes take a tenth less on one thread than finding all leaves, then planning all accounts, then
//! editing, and a seventh less on two; 1,000 on one thread as long (`benches/README.md`).

use crate::{
    TrieError, Updates,
    arena::{Arena, Pen},
    change::Change,
    division::{Division, Supply, Taken},
    edit::{Child, Edit, Held, Notes, Part, Parts},
    levels::Levels,
    load::{ACCOUNTS, StoredLeaf, Tries, Want},
    reference::Reference,
    replace::{Replacing, can_replace},
    rlp::{AccountLeaf, Leaf},
    rooms::{Room, Rooms},
    versions::Forest,
};
use alloy_primitives::U256;
use rayon::prelude::*;
use std::{
    marker::PhantomData,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Changes that one thread takes from beginning to end.
pub(crate) trait Share<'a>: Sized + Send {
    /// What is left of it in the end.
    type Done: Send;

    /// The shares of what a thread took together: of more than one, others may take the rest.
    fn of(taken: Taken<'a>, site: &Site<'_, 'a>) -> Vec<Self>;

    /// About how much work it is, in changes.
    fn changes(&self) -> usize;

    /// Goes on until nothing is left that could want something, and lets what it made wait for its hash. Once it is ready it is not called again.
    fn prepare(&mut self, site: &Site<'_, 'a>, tools: &mut Tools<'a>) -> Result<Progress, TrieError>;

    /// Makes the rest, with the hashes of what waited, and lets it wait for its own.
    fn finish(&mut self, site: &Site<'_, 'a>, tools: &mut Tools<'a>, hashes: &Hashes) -> Result<(), TrieError>;

    /// Takes those.
    fn end(self, site: &Site<'_, 'a>, hashes: &Hashes) -> Self::Done;
}

/// How far a share came.
pub(crate) enum Progress {
    Ready,
    /// Not without these.
    Wants(Vec<Want>),
    /// Not before somebody else has done something for it.
    Parked,
}

/// What all threads see.
pub(crate) struct Site<'s, 'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) updates: &'a Updates,
    pub(crate) tries: &'s Tries<'a>,
    pub(crate) division: Division,
}

/// What a thread needs for a share, and then for another.
pub(crate) struct Tools<'a> {
    pub(crate) pen: Pen<'a>,
    levels: Levels,
    notes: Notes,
    /// Tops that wait for their hash.
    waiting: usize,
}

/// The top of a subtree, or its number among those that wait for their hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Top {
    child: Option<Child>,
    number: usize,
}

/// By number.
pub(crate) struct Hashes(Vec<Option<Reference>>);

/// An edit of a trie, or of a subtree.
pub(crate) struct Task<'c, C> {
    pub(crate) trie: usize,
    pub(crate) depth: usize,
    pub(crate) old: Option<Child>,
    pub(crate) changes: &'c [C],
}

impl<C> Task<'_, C> {
    /// Whether there is a branch in memory, and nothing but new values for leaves that are there.
    fn replaces<L: Leaf>(&self, arena: &Arena) -> bool
    where
        C: Change<L>,
    {
        !self.changes.is_empty() && self.old.as_ref().is_some_and(|old| can_replace(arena, old, self.changes))
    }
}

impl Hashes {
    /// The top, with its hash.
    pub(crate) fn top(&self, top: Top) -> Option<Child> {
        let child = top.child?;
        let reference = child.reference.or_else(|| self.0[top.number]);
        debug_assert!(reference.is_some(), "what waits is hashed");
        Some(Child { reference, ..child })
    }
}

impl<'a> Tools<'a> {
    fn in_room(room: Room, arena: &'a Arena, epoch: u32) -> Self {
        let Room { pen, levels } = room;
        Self { pen: Pen::in_room(arena, epoch, pen), levels, notes: Notes::default(), waiting: 0 }
    }

    /// The tops of edits, in their order, which wait for their hashes then. Those that only put new values are walked together.
    pub(crate) fn edited<L: StoredLeaf, C: Change<L>>(
        &mut self,
        tries: &Tries<'a>,
        tasks: &[Task<'_, C>],
    ) -> Result<Vec<Top>, TrieError> {
        let arena = self.pen.arena();
        let mut tops = vec![None; tasks.len()];
        let mut replaced = Vec::with_capacity(tasks.len());
        for (i, task) in tasks.iter().enumerate() {
            if task.replaces(arena) {
                replaced.push(i);
            } else {
                tops[i] =
                    self.edit::<L>(tries, task.trie, Parts::default()).subtree(task.depth, task.old, task.changes)?;
            }
        }
        let mut replacing = Replacing::new(&mut self.pen, &mut self.levels, &mut self.notes);
        for i in replaced {
            let task = &tasks[i];
            let old = task.old.as_ref().expect("there is a branch");
            tops[i] = Some(replacing.top(task.trie, task.depth, old, task.changes)?);
        }
        replacing.run()?;
        Ok(tasks.iter().zip(tops).map(|(task, top)| self.wait(task.depth, top)).collect())
    }

    fn joined<L: StoredLeaf>(&mut self, tries: &Tries<'a>, cut: &Cut) -> Result<Top, TrieError> {
        let (arena, parts) = (self.pen.arena(), cut.parts.as_slice());
        let mut edit = self.edit::<L>(tries, cut.trie, Parts::of(parts));
        let top = edit.subtree(0, cut.old.map(|old| old.child(arena)), parts)?;
        debug_assert!(edit.parts.is_empty(), "every part is picked up");
        Ok(self.wait(0, top))
    }

    fn edit<'e, L>(&'e mut self, tries: &'e Tries<'a>, trie: usize, parts: Parts<'e>) -> Edit<'e, 'a, 'a, L> {
        let Self { pen, levels, notes, .. } = self;
        Edit { pen, levels, tries, trie, notes, parts, leaf: PhantomData }
    }

    fn wait(&mut self, depth: usize, top: Option<Child>) -> Top {
        let number = self.waiting;
        if let Some(Child { link, reference: None, .. }) = top {
            self.levels.root(depth, link, number);
            self.waiting += 1;
        }
        Top { child: top, number }
    }

    /// Hashes all that waits.
    pub(crate) fn hash(&mut self) -> Hashes {
        let mut hashes = vec![None; std::mem::take(&mut self.waiting)];
        for (number, reference) in self.levels.hash(self.pen.arena()) {
            hashes[number] = Some(reference);
        }
        Hashes(hashes)
    }
}

/// Where shares are worked on, and the tools that nobody uses now.
pub(crate) struct Workshop<'a> {
    pub(crate) arena: &'a Arena,
    rooms: &'a Rooms,
    pub(crate) updates: &'a Updates,
    pub(crate) division: Division,
    epoch: u32,
    tools: Mutex<Vec<Tools<'a>>>,
    notes: Mutex<Vec<Notes>>,
}

/// A trie that was cut, and what became of all of its parts, in the order of their keys: those that [`Subtree::cut`](crate::division::Subtree::cut) made of
/// the same old trie, so that they meet below forks alone.
pub(crate) struct Cut {
    pub(crate) trie: usize,
    /// What it was before.
    pub(crate) old: Option<Held>,
    pub(crate) parts: Vec<Part>,
}

/// What shares became.
pub(crate) struct Outcome<S, D> {
    /// In no order.
    pub(crate) done: Vec<D>,
    /// In no order.
    pub(crate) parked: Vec<S>,
}

/// What threads take, and what they leave.
struct Bench<'a, S, D> {
    supply: Supply<'a>,
    /// Shares that can go on, or were taken and not begun.
    begun: Vec<S>,
    blocked: Vec<S>,
    wants: Vec<Want>,
    outcome: Outcome<S, D>,
}

impl<'a> Workshop<'a> {
    pub(crate) fn new(forest: &'a Forest, updates: &'a Updates, epoch: u32, division: Division) -> Self {
        let Forest { arena, rooms, .. } = forest;
        Self { arena, rooms, updates, division, epoch, tools: Mutex::default(), notes: Mutex::default() }
    }

    /// Some tools, for as long as it takes.
    pub(crate) fn with_tools<T>(
        &self,
        work: impl FnOnce(&mut Tools<'a>) -> Result<T, TrieError>,
    ) -> Result<T, TrieError> {
        let unused = lock(&self.tools).pop();
        let mut tools = unused.unwrap_or_else(|| Tools::in_room(self.rooms.take(), self.arena, self.epoch));
        let done = work(&mut tools);
        if done.is_err() {
            // Whoever takes the tools next must not hash what is half made. What was made is freed with the workshop, when nobody can read it.
            (tools.levels, tools.waiting) = (Levels::default(), 0);
        }
        lock(&self.tools).push(tools);
        done
    }

    /// Puts together tries of which all parts were edited; their tops.
    pub(crate) fn joined<L: StoredLeaf>(
        &self,
        tries: &Tries<'a>,
        whole: Vec<Cut>,
    ) -> Result<Vec<(usize, Option<Child>)>, TrieError> {
        // Those of the parts count before those of the whole.
        self.settle_notes();
        self.with_tools(|tools| {
            let join = |cut: &Cut| Ok((cut.trie, tools.joined::<L>(tries, cut)?));
            let tops = whole.iter().map(join).collect::<Result<Vec<_>, TrieError>>()?;
            let hashes = tools.hash();
            Ok(tops.into_iter().map(|(trie, top)| (trie, hashes.top(top))).collect())
        })
    }

    fn settle_notes(&self) {
        let notes = lock(&self.tools).iter_mut().map(|tools| std::mem::take(&mut tools.notes)).collect::<Vec<_>>();
        lock(&self.notes).extend(notes);
    }

    /// All notes that were taken, in the order in which they count.
    pub(crate) fn take_notes(&self) -> Vec<Notes> {
        self.settle_notes();
        std::mem::take(&mut lock(&self.notes))
    }

    /// Keeps all nodes that were made, and tells how many bytes they are.
    pub(crate) fn keep(self) -> u64 {
        let tools = self.tools.into_inner().unwrap_or_else(PoisonError::into_inner);
        let put_away = |tools: Tools<'a>| {
            let (bytes, pen) = tools.pen.keep_all();
            self.rooms.put(Room { pen, levels: tools.levels });
            bytes
        };
        tools.into_iter().map(put_away).sum()
    }

    /// Works on shares that were begun, and on what is in supply, until all are done or parked.
    pub(crate) fn work<S: Share<'a>>(
        &self,
        tries: &mut Tries<'a>,
        supply: Supply<'a>,
        begun: Vec<S>,
    ) -> Result<Outcome<S, S::Done>, TrieError> {
        let outcome = Outcome { done: Vec::new(), parked: Vec::new() };
        let (blocked, wants) = (Vec::new(), Vec::new());
        let mut bench = Bench { supply, begun, blocked, wants, outcome };
        loop {
            bench = self.round(tries, bench)?;
            if bench.blocked.is_empty() {
                return Ok(bench.outcome);
            }
            let (mut accounts, mut slots) = bench.wants.drain(..).partition::<Vec<_>, _>(|want| want.trie == ACCOUNTS);
            self.with_tools(|tools| {
                tries.bring::<AccountLeaf>(&mut tools.pen, &mut accounts)?;
                tries.bring::<U256>(&mut tools.pen, &mut slots)
            })?;
            bench.begun.append(&mut bench.blocked);
        }
    }

    /// All that can be done without loading anything.
    fn round<S: Share<'a>>(
        &self,
        tries: &Tries<'a>,
        bench: Bench<'a, S, S::Done>,
    ) -> Result<Bench<'a, S, S::Done>, TrieError> {
        let Self { arena, updates, division, .. } = *self;
        let threads = division.threads.min(bench.begun.len() + bench.supply.subtrees());
        let site = Site { arena, updates, tries, division };
        let (bench, is_failed) = (Mutex::new(bench), AtomicBool::new(false));
        let thread = |_: usize| {
            let worked = self.with_tools(|tools| work_on(&bench, &is_failed, &site, tools));
            is_failed.fetch_or(worked.is_err(), Relaxed);
            worked
        };
        match threads {
            0 | 1 => thread(0)?,
            _ => (0..threads).into_par_iter().with_max_len(1).try_for_each(thread)?,
        }
        Ok(bench.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One thread's work, until nothing is left to take, or another has failed.
fn work_on<'a, S: Share<'a>>(
    bench: &Mutex<Bench<'a, S, S::Done>>,
    is_failed: &AtomicBool,
    site: &Site<'_, 'a>,
    tools: &mut Tools<'a>,
) -> Result<(), TrieError> {
    while !is_failed.load(Relaxed) {
        let (mut ready, mut changes, mut is_last) = (Vec::new(), 0, false);
        let portion = lock(bench).supply.portion(&site.division);
        let mut limit = portion;
        while changes < portion {
            let Some(mut share) = next(bench, site, limit) else {
                is_last = true;
                break;
            };
            match share.prepare(site, tools)? {
                Progress::Ready => {
                    changes += share.changes();
                    ready.push(share);
                }
                Progress::Parked => lock(bench).outcome.parked.push(share),
                Progress::Wants(wants) => {
                    let mut bench = lock(bench);
                    bench.wants.extend(wants);
                    bench.blocked.push(share);
                }
            }
            // Shares that wait for the source count for nothing yet, and still a thread must not take all there is.
            limit = portion.saturating_sub(changes).min(lock(bench).supply.bound(&site.division));
        }
        let hashes = tools.hash();
        for share in &mut ready {
            share.finish(site, tools, &hashes)?;
        }
        let hashes = tools.hash();
        let done = ready.into_iter().map(|share| share.end(site, &hashes)).collect::<Vec<_>>();
        lock(bench).outcome.done.extend(done);
        if is_last {
            break;
        }
    }
    tools.pen.give_back();
    Ok(())
}

/// A share that a thread can go on with, of about so many changes at most if it is a new one.
fn next<'a, S: Share<'a>>(bench: &Mutex<Bench<'a, S, S::Done>>, site: &Site<'_, 'a>, limit: usize) -> Option<S> {
    let taken = {
        let mut bench = lock(bench);
        if let Some(begun) = bench.begun.pop() {
            return Some(begun);
        }
        bench.supply.take(limit)
    };
    let mut shares = S::of(taken, site);
    if shares.len() > 1 {
        lock(bench).begun.extend(shares.drain(1..));
    }
    shares.pop()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in it is right between any two statements that can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
