//! Words for people: the verdict sentence, event lines, posts, handover, postmortem formats, charts.
