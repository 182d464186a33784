//! Parameters, gradients and moments as they are outside the engine.

use std::collections::HashSet;

use irtune_device::Device;

use super::Decoder;
use crate::{
    error::ModelError,
    host_tensor::HostTensor,
    layer::block::Block,
    parameters::{checked, group::Group},
};

impl<D: Device> Decoder<D> {
    pub(crate) fn parameters(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.parameters(&*self.device, &mut out));
        out
    }

    pub(crate) fn exported(&self, mut parameters: Vec<HostTensor>) -> Vec<HostTensor> {
        for layer in &self.layers {
            layer.export(&*self.device, self.base.config.family, &mut parameters);
        }
        parameters
    }

    pub(crate) fn gradients(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.gradients(&*self.device, &mut out));
        out
    }

    pub(crate) fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        let names: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = |group: &Group<D>| !group.are_masters() || group.is_named(&names, "");
        let expected = self.groups().filter(|group| given(group)).flat_map(Group::expected);
        let expected = expected.map(|(name, shape)| (name.to_owned(), shape)).collect();
        let found = checked::checked(expected, tensors)?;
        let Self { device, groups, head, words, cache, .. } = self;
        for group in groups.iter_mut().chain(words.is_none().then_some(head)) {
            let given = given(group);
            group.keep_masters(device, given)?;
            if given {
                group.load_parameters(device, |name| found[name]);
            }
        }
        if let Some(cache) = cache {
            cache.clear();
        }
        if std::mem::take(&mut self.prepacked) {
            self.layers.iter_mut().for_each(Block::unpack);
        }
        Ok(())
    }

    pub(crate) fn optimizer_state(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.optimizer_state(&*self.device, &mut out));
        out
    }

    pub(crate) fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        let names: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = |group: &Group<D>| !group.are_masters() || group.is_named(&names, ".steps");
        let expected =
            self.groups().filter(|group| given(group)).flat_map(Group::expected).flat_map(|(name, shape)| {
                [("first_moment", shape.clone()), ("second_moment", shape), ("steps", vec![1])]
                    .map(|(part, shape)| (format!("{name}.{part}"), shape))
            });
        let found = checked::checked(expected.collect(), tensors)?;
        let Self { device, groups, head, words, spare, .. } = self;
        for group in groups.iter_mut().chain(words.is_none().then_some(head)) {
            if given(group) {
                group.prepare_moments(device, spare)?;
                group.load_optimizer_state(device, |name| found[name]);
            } else {
                group.leave_moments(device, spare);
            }
        }
        Ok(())
    }
}
