//! Runs: their steps, files and folders, what is set about them, and what goes wrong.

mod calibration;
mod chat;
mod checkpoint;
mod combine;
mod counting_engine;
mod edit_head;
mod embedding;
mod ending;
mod further;
mod multi_label;
mod old_folder;
mod options;
mod plan;
mod predictor;
mod recorder;
mod rows;
mod run;
mod run_folder;
mod runs;
mod schedule;
mod step;
mod test_files;
mod train;
mod tuned_weights;
mod words;
