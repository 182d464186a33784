use irtune_device::{ColumnOps, Columns};

use super::Cpu;
use crate::{ops::wide, simd::element::Element};

impl<E: Element> ColumnOps for Cpu<E> {
    fn split_columns(&self, from: &Vec<E>, rows: usize, columns: Columns, out: &mut Vec<E>) {
        wide::split(&from[..rows * columns.of], columns, &mut out[..rows * columns.count]);
    }

    fn join_columns(&self, part: &Vec<E>, rows: usize, columns: Columns, to: &mut Vec<E>) {
        wide::join(&part[..rows * columns.count], columns, &mut to[..rows * columns.of]);
    }
}
