//! The processor as a device: the kernels of this crate behind the contract of `irtune-device`.

mod adapter_ops;
mod column_ops;
mod decoder_ops;
mod gemm;
mod layer_norm_ops;
mod losses;
mod memory;
mod optimizer;
mod precision;

pub use precision::{is_slow_here, resolve_precision};

use std::sync::{Arc, Mutex, PoisonError};

use irtune_device::DeviceError;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{gemm::Integers, simd::element::Element, threads::scratch::Reserved};

/// The processor as a [`Device`](irtune_device::Device); `E` is the precision of operands.
///
/// Work runs on the device's own thread pool, or on the pool that the device was made in.
pub struct Cpu<E> {
    /// The integers that GEMMs with frozen matrices are made in.
    integers: Option<Integers>,
    /// None when the device was made inside another pool: a second one would compete with it.
    pool: Option<ThreadPool>,
    /// Scratch that all threads have.
    reserved: Mutex<Reserved>,
    /// As many ones as the largest GEMM with a bias has rows.
    ones: Mutex<Arc<[E]>>,
}

impl<E: Element> Cpu<E> {
    /// GEMMs in operands of `E`, on so many threads, or on the rayon pool that this is called in.
    ///
    /// # Errors
    /// When the threads can't be started.
    pub fn new(threads: usize) -> Result<Self, DeviceError> {
        let pool = match rayon::current_thread_index() {
            Some(_) => None,
            None => {
                let pool = ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
                Some(pool.map_err(|source| DeviceError::Threads { threads, source: source.into() })?)
            }
        };
        Ok(Self { integers: None, pool, reserved: Mutex::default(), ones: Mutex::new(Arc::default()) })
    }

    /// The same, with GEMMs with frozen matrices in integers.
    ///
    /// # Errors
    /// As [`Cpu::new`].
    pub fn with_integers(threads: usize, integers: Integers) -> Result<Self, DeviceError> {
        Ok(Self { integers: Some(integers), ..Self::new(threads)? })
    }

    /// At least so many ones.
    fn ones(&self, count: usize) -> Arc<[E]> {
        let mut ones = self.ones.lock().unwrap_or_else(PoisonError::into_inner);
        if ones.len() < count {
            *ones = vec![E::from_f32(1.0); count].into();
        }
        ones.clone()
    }
}
