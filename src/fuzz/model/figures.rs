//! DescribeDataset, ListDatasets, DescribeIdentityUsage and DeleteDataset.

use super::{CONFLICT, Dataset, Fate, Judge, Model, NOT_FOUND, Phase, Reason};
use crate::fuzz::operation::{Place, Who};
use crate::fuzz::term::{Count, Term};
use crate::fuzz::want::{Answer, Want};

/// What an identity's usage holds that is not of this attempt.
#[derive(Debug)]
pub(in crate::fuzz) struct Base {
    datasets: Count,
    bytes: Count,
}

/// A number that is known but for what is open about removed records.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: i64,
    most: i64,
}

const DATASETS: &str = "/Datasets";
const ECHOED: &str = "DescribeIdentityUsage/rule/ids-echoed";
const COUNT_AT: &str = "/IdentityUsage/DatasetCount";
const STORAGE_AT: &str = "/IdentityUsage/DataStorage";
const LISTED: &str = "ListDatasets/rule/pages-hold-everything";

impl Model {
    /// What becomes of describing a dataset that is sure.
    pub(in crate::fuzz) fn describe_fate(&mut self, place: Place) -> Fate {
        let dataset = self.dataset(place);
        match dataset.phase {
            Phase::Exists if dataset.records.values().all(|record| record.value.is_none()) => {
                Fate::Success("ListRecords/rule/dataset-of-tombstones-exists")
            }
            Phase::Exists => Fate::Success("UpdateRecords/rule/creates-dataset"),
            Phase::Never => not_found("DescribeDataset/rule/unknown-dataset"),
            Phase::Deleted => not_found("DeleteDataset/rule/no-longer-described"),
        }
    }

    pub(in crate::fuzz) fn judge_describe(&mut self, place: Place, fate: &Fate, judge: &mut Judge<'_>) {
        if judge.outcome(fate) {
            let (records, bytes) = self.dataset(place).figures();
            within(judge, "DescribeDataset/rule/num-records", "/Dataset/NumRecords", records);
            within(judge, "DescribeDataset/rule/data-storage-formula", "/Dataset/DataStorage", bytes);
        }
    }

    /// What becomes of deleting a dataset that is sure. What a deletion conflicts
    /// with is open, so a conflict is never wrong.
    pub(in crate::fuzz) fn delete_fate(&mut self, place: Place) -> Fate {
        match self.dataset(place).phase {
            Phase::Exists => Fate::Success("DeleteDataset/rule/returns-dataset"),
            Phase::Never | Phase::Deleted => not_found("DeleteDataset/rule/unknown-dataset"),
        }
    }

    pub(in crate::fuzz) fn judge_delete(&mut self, place: Place, fate: &Fate, judge: &mut Judge<'_>) {
        let conflict = judge.answer.error.as_deref() == Some(CONFLICT);
        if conflict && matches!(fate, Fate::Success(_)) || !judge.outcome(fate) {
            return;
        }
        let named = Want::Is("/Dataset/DatasetName".to_owned(), Term::Dataset(place.dataset));
        judge.check("DeleteDataset/rule/returns-dataset", named);
        let (records, bytes) = self.dataset(place).figures();
        within(judge, "DeleteDataset/rule/returns-dataset-as-it-was", "/Dataset/NumRecords", records);
        within(judge, "DeleteDataset/rule/returns-dataset-as-it-was", "/Dataset/DataStorage", bytes);
    }

    pub(in crate::fuzz) fn saw_delete(&mut self, place: Place, answer: &Answer, odd: bool) {
        let dataset = self.dataset(place);
        dataset.sure &= !odd;
        if !answer.succeeded() {
            return;
        }
        dataset.version += 1;
        dataset.life += 1;
        dataset.suspect = None;
        dataset.phase = Phase::Deleted;
        let count = dataset.count.take();
        dataset.before_deletion = count.or(dataset.before_deletion.take());
        dataset.records.clear();
        dataset.murky.clear();
        dataset.patched.clear();
        dataset.latest.clear();
    }

    /// One page of an identity's datasets. `seen` are the names of earlier pages.
    pub(in crate::fuzz) fn judge_datasets(&self, who: Who, size: Option<u16>, seen: &[String], judge: &mut Judge<'_>) {
        if !judge.outcome(&Fate::Success(LISTED)) {
            return;
        }
        let listed = judge.answer.list(DATASETS).len();
        let length = Term::Integer(i64::try_from(listed).unwrap_or(i64::MAX));
        judge.check("ListDatasets/rule/count-is-of-answer", Want::Is("/Count".to_owned(), length));
        if let Some(size) = size {
            judge.check("ListDatasets/rule/page-is-no-larger", Want::Length(DATASETS, size.into()));
        }
        let own: Vec<(&Place, &Dataset)> = self.datasets.iter().filter(|(place, _)| place.who == who).collect();
        for (place, dataset) in own.into_iter().filter(|(_, dataset)| dataset.sure) {
            let name = judge.names.dataset(place.dataset);
            let here = judge.answer.list(DATASETS).iter().any(|entry| entry["DatasetName"] == name.as_str());
            let wanted = || vec![("DatasetName", Term::Dataset(place.dataset))];
            match dataset.phase {
                Phase::Exists => {
                    judge.hit(LISTED);
                    if here && seen.contains(&name) {
                        judge.complain(LISTED, Want::NoEntry(DATASETS, wanted()));
                    } else if !here && !seen.contains(&name) && judge.answer.text("/NextToken").is_none() {
                        judge.complain_at_end(LISTED, Want::Entry(DATASETS, wanted()));
                    }
                }
                Phase::Deleted => {
                    judge.check("DeleteDataset/rule/no-longer-listed", Want::NoEntry(DATASETS, wanted()));
                }
                Phase::Never => {}
            }
        }
    }

    /// An identity's usage: what this attempt made must have come on top of what was
    /// there, which the first answer tells. What an identity without data leads to is
    /// open.
    pub(in crate::fuzz) fn judge_usage(&mut self, who: Who, step: usize, judge: &mut Judge<'_>) {
        let own: Vec<&Dataset> =
            self.datasets.iter().filter(|(place, _)| place.who == who).map(|(_, dataset)| dataset).collect();
        let exist = || own.iter().filter(|dataset| dataset.phase == Phase::Exists);
        if exist().next().is_some() && !judge.outcome(&Fate::Success(ECHOED)) || !judge.answer.succeeded() {
            return;
        }
        judge.check(ECHOED, Want::Is("/IdentityUsage/IdentityId".to_owned(), Term::Identity(who)));
        judge.check(ECHOED, Want::Is("/IdentityUsage/IdentityPoolId".to_owned(), Term::Pool));
        let is_exact = |dataset: &&Dataset| {
            let (_, bytes) = dataset.figures();
            dataset.sure && bytes.least == bytes.most
        };
        if !own.iter().all(is_exact) {
            return;
        }
        let datasets = i64::try_from(exist().count()).unwrap_or(i64::MAX);
        let bytes: i64 = exist().map(|dataset| dataset.figures().1.least).sum();
        let seen = |pointer: &str| Some(Count::seen(judge.answer.number(pointer)?, step, pointer.to_owned()));
        if let Some(base) = self.usage.get(&who) {
            let is = |pointer: &str, number: Count| Want::Is(pointer.to_owned(), Term::Count(number));
            judge.check("DescribeIdentityUsage/rule/dataset-count", is(COUNT_AT, base.datasets.plus(datasets)));
            judge.check("DescribeIdentityUsage/rule/data-storage-is-sum", is(STORAGE_AT, base.bytes.plus(bytes)));
        } else if let Some((count, storage)) = seen(COUNT_AT).zip(seen(STORAGE_AT)) {
            self.usage.insert(who, Base { datasets: count.plus(-datasets), bytes: storage.plus(-bytes) });
        }
    }
}

fn not_found(rule: &'static str) -> Fate {
    Fate::Refused { reasons: vec![Reason::new(rule, 404, &[NOT_FOUND])], lenient: false }
}

fn within(judge: &mut Judge<'_>, rule: &'static str, pointer: &str, range: Range) {
    if judge.check(rule, Want::AtLeast(pointer.to_owned(), Term::Integer(range.least))) {
        judge.check(rule, Want::AtMost(pointer.to_owned(), Term::Integer(range.most)));
    }
}

impl Dataset {
    /// Number and bytes of its records. Whether tombstones count is open.
    fn figures(&self) -> (Range, Range) {
        let (mut records, mut bytes) = (Range { least: 0, most: 0 }, Range { least: 0, most: 0 });
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        for (key, record) in &self.records {
            records.most += 1;
            bytes.most += length(key) + record.value.as_deref().map_or(0, length);
            if let Some(value) = &record.value {
                records.least += 1;
                bytes.least += length(key) + length(value);
            }
        }
        for key in &self.murky {
            records.most += 1;
            bytes.most += length(key);
        }
        (records, bytes)
    }
}
