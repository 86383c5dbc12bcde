//! The part of the report that is about latency.

use std::fmt::Write as _;

use super::{Effort, Measured};
use crate::figures::{Percentiles, Spread};
use crate::plot;

/// What is aimed at, in milliseconds: for half of all, and for 99 of 100.
type Aim = Option<(f64, f64)>;

/// As Markdown: a table, a picture, and the figures by turn. `None` of no figures.
pub(super) fn table(measured: &Measured, effort: Effort) -> Option<String> {
    let Measured { capacity, commit, receipt, fact, singles } = measured;
    let all = |turns: &[Vec<f64>]| Percentiles::of(turns.concat());
    let (ours, queue) = (all(commit)?, all(receipt)?);
    let alone = Percentiles::of(singles.write.clone())?;
    let history = Percentiles::of(singles.history.clone())?;
    let single_fact = Percentiles::of(singles.fact.clone())?;
    let rows: [(&str, Percentiles, Aim); 7] = [
        ("enqueue to commit", ours, None),
        ("enqueue to receipt: the queue's own", queue, None),
        ("enqueue to commit, more than the queue's own", ours.minus(queue), Some((5.0, 25.0))),
        ("commit to receipt of the fact", all(fact)?, Some((10.0, 50.0))),
        ("commit to the fact on the queue, one by one", single_fact, Some((10.0, 50.0))),
        ("commit to the history, one by one", history, Some((10.0, 50.0))),
        ("a write to the history alone", alone, None),
    ];
    let count = |turns: &[Vec<f64>]| turns.iter().map(Vec::len).sum::<usize>();
    let mut text = format!(
        "## Latency\n\n\
         One worker with its defaults commits {capacity:.0} commands a second from a queue that is full, beside a relay and a\n\
         consumer of facts. Then commands come at a quarter of this rate, which is half of what is possible where each is\n\
         sent by itself: that takes as much of the processors as the worker. Each is of a task of its own, comes whatever\n\
         becomes of them (an open loop), and counts from when it was to be sent: {} commands in turns of {} s with ours, and\n\
         {} with a consumer that only receives (ours, other, other, ours), which is what the queue and its clients\n\
         take themselves. A commit counts when others see it, so it is durable; it is looked for each millisecond.\n\
         Facts are received by a consumer that only receives. One by one: {} commands, each sent when the one before\n\
         was in the history and all had gone to sleep. DynamoDB is a local server in Python, so its own time for such\n\
         a write stands beside. The queue is in memory, PostgreSQL is durable, and the generator, all servers and all\n\
         programs share the processors.\n\n\
         Milliseconds:\n\n\
         | from, to | p50 | p99 | p99.9 | aim: p50, p99 |\n|---|---|---|---|---|\n",
        count(commit),
        effort.turn.as_secs_f64(),
        count(receipt),
        singles.history.len(),
    );
    for (name, Percentiles { p50, p99, p999 }, aim) in &rows {
        let aim = aim.map(|(half, most)| format!("{half}, {most}")).unwrap_or_default();
        writeln!(text, "| {name} | **{p50:.1}** | **{p99:.1}** | {p999:.1} | {aim} |").ok()?;
    }
    text.push_str("\nAs a part of the aim:\n\n```\n");
    let width = rows.iter().map(|(name, ..)| name.len()).max()?;
    for (name, percentiles, aim) in &rows {
        let Some((half, most)) = aim else { continue };
        for (which, value, aim) in [("p50", percentiles.p50, half), ("p99", percentiles.p99, most)]
        {
            let part = Spread::of(vec![value / aim])?;
            writeln!(text, "{name:width$}  {which}  {}", plot::bar(part, 1.0)).ok()?;
        }
    }
    text.push_str("```\n\nBy turn (p50, p99, p99.9):\n\n");
    for (name, turns) in [
        ("enqueue to commit", commit),
        ("the queue's own", receipt),
        ("commit to receipt of the fact", fact),
    ] {
        let turns = turns.iter().filter_map(|turn| Percentiles::of(turn.clone()));
        let turns = turns.map(|it| it.to_string()).collect::<Vec<_>>().join("; ");
        writeln!(text, "- {name}: {turns}").ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::Singles;
    use super::*;

    #[test]
    fn what_is_more_than_the_queues_own_stands_beside_the_aim() {
        let singles = Singles { fact: vec![4.0], history: vec![20.0], write: vec![5.0] };
        let measured = Measured {
            capacity: 2_000.0,
            commit: vec![vec![7.0, 7.0], vec![9.0]],
            receipt: vec![vec![1.0], vec![2.0]],
            fact: vec![vec![3.0]],
            singles,
        };
        let text = table(&measured, Effort::QUICK).unwrap();
        let difference =
            "| enqueue to commit, more than the queue's own | **6.0** | **7.0** | 7.0 | 5, 25 |";
        assert!(text.contains(difference), "{text}");
        assert!(text.contains("3 commands in turns of 2 s with ours, and\n2 with"), "{text}");
        assert!(text.contains("- the queue's own: 1.0 1.0 1.0; 2.0 2.0 2.0\n"), "{text}");
        assert!(table(&Measured { fact: Vec::new(), ..measured }, Effort::QUICK).is_none());
    }
}
