use std::sync::PoisonError;

use bytemuck::Zeroable;
use irtune_device::{BatchLayout, DeviceError, FrozenMatrix, Memory, RotaryTable, Slot};
use rayon::{ThreadPool, prelude::*};

use super::Cpu;
use crate::{
    gemm::{Integers, Prepacked},
    quant::decode::decode_row,
    simd::element::Element,
    threads::scratch,
};

/// Untouched zero pages for so many values: what is never written never becomes resident.
fn zeroed<T: Zeroable>(length: Option<usize>) -> Result<Vec<T>, DeviceError> {
    let asked = length.and_then(|length| length.checked_mul(size_of::<T>()));
    let made = length.and_then(|length| bytemuck::allocation::try_zeroed_vec(length).ok());
    made.ok_or_else(|| DeviceError::Memory { asked, total: None, available: available() })
}

/// Bytes of memory that the system could still give, where it says so.
fn available() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

impl<E: Element> Memory for Cpu<E> {
    type Operands = Vec<E>;
    type Floats = Vec<f32>;
    type Words = Vec<u32>;
    type Weight = FrozenMatrix;
    type Scalars = Vec<f64>;
    type Layout = BatchLayout;
    type Rotary = RotaryTable;
    type Prepacked = Prepacked;

    fn precision(&self) -> &'static str {
        self.integers.map_or(E::NAME, Integers::name)
    }

    fn operand_bytes(&self) -> usize {
        size_of::<E>()
    }

    fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, ThreadPool::current_num_threads)
    }

    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    fn end_pass(&self) {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        *reserved = scratch::reserve(*reserved);
    }

    fn weight(&self, matrix: FrozenMatrix) -> Result<FrozenMatrix, DeviceError> {
        Ok(matrix)
    }

    fn operands(&self, rows: usize, columns: usize) -> Result<Vec<E>, DeviceError> {
        zeroed(rows.checked_mul(columns))
    }

    fn floats(&self, rows: usize, columns: usize) -> Result<Vec<f32>, DeviceError> {
        zeroed(rows.checked_mul(columns))
    }

    fn words(&self, rows: usize, columns: usize) -> Result<Vec<u32>, DeviceError> {
        zeroed(rows.checked_mul(columns))
    }

    fn scalars(&self, length: usize) -> Result<Vec<f64>, DeviceError> {
        zeroed(Some(length))
    }

    fn zero(&self, slot: Slot<Self>) {
        slot.scalars[slot.at] = 0.0;
    }

    fn read(&self, from: &Vec<f64>, to: &mut [f64]) {
        to.copy_from_slice(&from[..to.len()]);
    }

    fn layout(&self) -> BatchLayout {
        BatchLayout::default()
    }

    fn upload_layout(&self, from: &BatchLayout, to: &mut BatchLayout) {
        to.clone_from(from);
    }

    fn rotary_table(&self, table: RotaryTable) -> RotaryTable {
        table
    }

    fn upload(&self, from: &[f32], to: &mut Vec<f32>, offset: usize) {
        to[offset..][..from.len()].copy_from_slice(from);
    }

    fn download(&self, from: &Vec<f32>, offset: usize, to: &mut [f32]) {
        to.copy_from_slice(&from[offset..][..to.len()]);
    }

    fn copy(&self, from: &Vec<f32>, to: &mut Vec<f32>, offset: usize, length: usize) {
        to[offset..][..length].copy_from_slice(&from[..length]);
    }

    fn decode(&self, weight: &FrozenMatrix, to: &mut Vec<f32>, offset: usize) {
        let view = weight.view();
        let rows = to[offset..][..view.rows * view.columns].par_chunks_exact_mut(view.columns);
        rows.enumerate().for_each(|(row, out)| decode_row(&view, row, out));
    }

    fn clear(&self, values: &mut Vec<f32>, offset: usize, length: usize) {
        values[offset..][..length].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_without_room_is_an_error() {
        let device = Cpu::<f32>::new(1).unwrap();
        for (rows, columns) in [(usize::MAX, 2), (1 << 40, 1 << 20)] {
            let error = device.floats(rows, columns).unwrap_err();
            let DeviceError::Memory { asked, .. } = error else { panic!("{error}") };
            assert_eq!(asked, rows.checked_mul(columns).and_then(|length| length.checked_mul(4)));
        }
        assert_eq!(device.floats(3, 2).unwrap(), [0.0; 6]);
    }
}
