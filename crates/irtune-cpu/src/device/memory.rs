use std::sync::PoisonError;

use irtune_device::{BatchLayout, DeviceError, FrozenMatrix, Memory, RotaryTable, Slot};
use rayon::{ThreadPool, prelude::*};

use super::Cpu;
use crate::{
    gemm::{Integers, Prepacked},
    quant::decode::decode_row,
    simd::element::Element,
    threads::scratch,
};

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

    fn operands(&self, length: usize) -> Vec<E> {
        bytemuck::allocation::zeroed_vec(length)
    }

    fn floats(&self, length: usize) -> Vec<f32> {
        vec![0.0; length]
    }

    fn words(&self, length: usize) -> Vec<u32> {
        vec![0; length]
    }

    fn scalars(&self, length: usize) -> Vec<f64> {
        vec![0.0; length]
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
