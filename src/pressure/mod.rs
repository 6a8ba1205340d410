//! Pod facts and memory samples → rings, robust slope, time left to each ceiling, ranking, "did it help?".
