//! Each rule on a heap that leaks its way, and on the healthy heap beside it, where it must be silent.

use super::testing::{App, FILE, found, named, verdict};
use super::*;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::verdict::{Confidence, HolderKind};

/// A service with `n` pages of a kilobyte in `const cache = new Map()`.
fn cached(n: usize) -> (App, usize) {
    let mut app = App::new();
    let cache = app.map("cache");
    fill(&mut app, cache, n);
    (app, cache)
}

fn fill(app: &mut App, map: usize, n: usize) {
    for _ in 0..n {
        let page = app.instance("Page", 1000);
        app.set(map, page);
    }
}

/// The same heap after `n` more pages came.
fn later(app: &App, map: usize, n: usize) -> App {
    let mut after = app.clone();
    fill(&mut after, map, n);
    after
}

#[test]
fn s1_one_place_that_keeps_most_of_the_heap() {
    let (app, cache) = cached(300);
    assert_eq!(found(&single::Single, &[&app]), [(cache, None)]);
    let said = verdict(&[&app]);
    assert_eq!(named(&said), [("single", "cache")]);
    let first = &said.suspects[0];
    assert_eq!((first.holder_kind, first.count, first.growing_class.as_str()), (HolderKind::Map, 300, "Page"));
    assert!(first.location.as_ref().is_some_and(|p| p.file.as_str() == FILE));
    assert!(first.confidence == Confidence::Low && first.cannot_prove[0].as_str().contains("grows"), "one snapshot proves no growth");
    assert!(said.next_capture.as_str().starts_with("a second snapshot of the same process"));

    // As many bytes of code, hidden classes and feedback are V8's, not the app's.
    let mut warm = App::new();
    for n in 0..300 {
        let code = warm.d.node([NodeKind::Code, NodeKind::ObjectShape, NodeKind::Array][n % 3], "(code)", 1000);
        warm.d.edge(warm.scope, EdgeKind::Internal, &n.to_string(), code);
    }
    assert_eq!(found(&single::Single, &[&warm]), []);
    assert_eq!(named(&verdict(&[&warm])), []);
}

/// 300 jobs that two lists hold, so that neither would free them.
fn twice_held() -> (App, usize, usize) {
    let mut app = App::new();
    let (queue, index) = (app.list(400), app.list(400));
    app.variable("queue", queue);
    app.variable("index", index);
    for _ in 0..300 {
        let job = app.instance("Job", 1000);
        app.push(queue, job);
        app.push(index, job);
    }
    (app, queue, index)
}

#[test]
fn s2_many_small_objects_that_no_single_owner_explains() {
    let (app, queue, index) = twice_held();
    assert_eq!(found(&single::Single, &[&app]), [], "no list dominates them");
    let places = found(&group::Group, &[&app]);
    assert!(places.len() == 1 && [queue, index].contains(&places[0].0), "{places:?}");
    let said = verdict(&[&app]);
    assert!(matches!(named(&said)[..], [("group", "queue" | "index")]), "{:?}", named(&said));
    // What one place explains is no group.
    let mut app = App::new();
    let queue = app.list(400);
    app.variable("queue", queue);
    for _ in 0..300 {
        let job = app.instance("Job", 1000);
        app.push(queue, job);
    }
    assert_eq!((found(&group::Group, &[&app]), found(&single::Single, &[&app])), (vec![], vec![(queue, None)]));
}

#[test]
fn s3_growth_is_net_so_a_cache_that_turns_over_is_none() {
    let (before, cache) = cached(300);
    let after = later(&before, cache, 100);
    assert_eq!(found(&growth::GrowthRule, &[&before, &after]), [(cache, Some(100_000))]);
    let said = verdict(&[&before, &after]);
    assert_eq!(named(&said), [("growth", "cache")]);
    assert_eq!((said.suspects[0].count_growth, said.suspects[0].growth_share), (Some(100), Some(1.0)));
    assert!(said.next_capture.as_str().starts_with("a third snapshot"), "{}", said.next_capture);

    let pages: Vec<usize> = (0..before.d.nodes.len()).filter(|&n| before.d.nodes[n].name == "Page").take(100).collect();
    let mut turned = after;
    turned.forget(&pages);
    for page in pages {
        // What went is no object any more; its id must not stay.
        turned.d.nodes[page].name = "gone".into();
        turned.d.nodes[page].id += 1_000_001;
        turned.d.nodes[page].size = 0;
    }
    let said = verdict(&[&before, &turned]);
    assert_eq!(named(&said), []);
    assert!(said.reason.as_str().starts_with("nothing grows"), "{}", said.reason);
    assert!(said.large.iter().any(|l| l.name.as_str() == "cache"), "it is large, and said to be");
}

#[test]
fn s4_the_slow_collection_beside_the_big_leak() {
    let (mut before, cache) = cached(300);
    let log = before.array("auditLog");
    let add = |app: &mut App, n: usize| {
        for _ in 0..n {
            let line = app.instance("Line", 300);
            app.push(log, line);
        }
    };
    add(&mut before, 1000);
    let mut middle = later(&before, cache, 1500);
    add(&mut middle, 60);
    let mut after = later(&middle, cache, 200);
    add(&mut after, 60);
    assert_eq!(found(&collections::Collections, &[&before, &after]), [(cache, Some(1_700_000)), (log, Some(36_000))]);
    let said = verdict(&[&before, &middle, &after]);
    assert_eq!(named(&said), [("collection", "cache"), ("collection", "auditLog")]);

    // It must have grown in every interval.
    let full = middle.clone();
    assert_eq!(found(&collections::Collections, &[&before, &middle, &full]), []);
    // A ring of a fixed length is none, however big, and a weak map frees its entries by itself.
    let mut ring = App::new();
    let slots = ring.list(1200);
    ring.variable("ring", slots);
    for _ in 0..1200 {
        let sample = ring.instance("Sample", 500);
        ring.push(slots, sample);
    }
    let weak = ring.map("byRequest");
    ring.d.nodes[weak].name = "WeakMap".into();
    fill(&mut ring, weak, 1200);
    assert_eq!(found(&collections::Collections, &[&ring]), []);
}

/// An emitter `bus` with `n` listeners of one event.
fn bus(n: usize) -> (App, usize) {
    let mut app = App::new();
    let emitter = app.d.node(NodeKind::Object, "EventEmitter", 40);
    app.variable("bus", emitter);
    let events = app.d.node(NodeKind::Object, "Object", 40);
    let list = app.list(400);
    app.d.edge(emitter, EdgeKind::Property, "_events", events);
    app.d.edge(events, EdgeKind::Property, "update", list);
    listen(&mut app, list, n);
    (app, list)
}

fn listen(app: &mut App, list: usize, n: usize) {
    for _ in 0..n {
        let f = app.function("onUpdate");
        app.push(list, f);
    }
}

#[test]
fn s5_more_listeners_than_node_warns_of() {
    let (app, list) = bus(120);
    let said = verdict(&[&app]);
    assert_eq!(named(&said), [("listeners", "bus._events.update")]);
    assert_eq!((said.suspects[0].holder_kind, said.suspects[0].count), (HolderKind::Listeners, 120));
    assert!(said.suspects[0].headline.as_str().contains("event \"update\""), "{}", said.suspects[0].headline);
    let (few, _) = bus(10);
    assert_eq!(found(&listeners::Listeners, &[&few]), [], "Node's own limit");
    let (mut some, at) = bus(60);
    let config = some.d.node(NodeKind::String, "a big text", 1 << 20);
    some.variable("config", config);
    assert_eq!(found(&listeners::Listeners, &[&some]), [(at, None)]);
    assert!(!named(&verdict(&[&some])).contains(&("listeners", "bus._events.update")), "it is said to be there, not to leak");
    // With a past only those that came count.
    let mut after = app.clone();
    listen(&mut after, list, 11);
    assert!(matches!(found(&listeners::Listeners, &[&app, &after])[..], [(at, Some(704..))] if at == list));
    let mut after = app.clone();
    listen(&mut after, list, 10);
    assert_eq!(found(&listeners::Listeners, &[&app, &after]), []);
}

/// `n` timers that will call a function of the app, with `kept` bytes in each closure's scope or store.
fn timers(n: usize, store: bool) -> App {
    let mut app = App::new();
    let storage = app.instance("AsyncLocalStorage", 40);
    app.variable("requestContext", storage);
    app.function("expire");
    let line = app.d.locations.last().expect("its line").2;
    let list = app.d.node(NodeKind::Object, "TimersList", 40);
    app.d.edge(app.handles, EdgeKind::Element, "1", list);
    for n in 0..n {
        let timer = app.d.node(NodeKind::Object, "Timeout", 128);
        let f = app.d.node(NodeKind::Closure, "expire", 64);
        app.d.locations.push((f, 7, line, 2));
        app.d.edge(list, EdgeKind::Element, &n.to_string(), timer);
        app.d.edge(timer, EdgeKind::Property, "_onTimeout", f);
        let kept = app.instance("Request", 2000);
        app.d.edge(if store { timer } else { f }, EdgeKind::Property, if store { "<symbol kResourceStore>" } else { "request" }, kept);
    }
    app
}

#[test]
fn s6_timers_of_one_function() {
    let app = timers(100, false);
    let said = verdict(&[&app]);
    assert_eq!(named(&said)[0], ("pending", "expire"));
    assert_eq!((said.suspects[0].holder_kind, said.suspects[0].count), (HolderKind::Timers, 100));
    assert_eq!(found(&pending::Pending, &[&timers(99, false)]), []);
    assert_eq!(found(&pending::Pending, &[&app, &timers(109, false)]), [], "nine more");
    assert!(matches!(found(&pending::Pending, &[&app, &timers(110, false)])[..], [(_, Some(20_000..))]));
}

#[test]
fn s6_suspended_functions_and_reactions_of_a_promise() {
    let mut app = App::new();
    let wait = app.function("exportRows");
    let lock = app.array("waiters");
    for _ in 0..120 {
        let frame = app.d.node(NodeKind::Object, "Generator", 88);
        let locals = app.d.node(NodeKind::Array, "", 400);
        app.d.edge(frame, EdgeKind::Internal, "function", wait);
        app.d.edge(frame, EdgeKind::Internal, "parameters_and_registers", locals);
        app.push(lock, frame);
    }
    assert_eq!(found(&pending::Pending, &[&app]), [(lock, None)], "where the app holds them");
    let mut app = App::new();
    let promise = app.d.node(NodeKind::Object, "Promise", 40);
    app.variable("ready", promise);
    let mut at = promise;
    for n in 0..150 {
        let reaction = app.d.node(NodeKind::Hidden, "system / PromiseReaction", 48);
        if n == 0 {
            app.d.edge(at, EdgeKind::Internal, "reactions_or_result", reaction);
        } else {
            app.d.edge(at, EdgeKind::Hidden, "1", reaction);
        }
        at = reaction;
    }
    assert_eq!(found(&pending::Pending, &[&app]), [(promise, None)]);
    app.d.edges.retain(|e| e.1 != EdgeKind::Hidden);
    assert_eq!(found(&pending::Pending, &[&app]), [], "one waits");
}

#[test]
fn s7_a_store_that_timers_keep_from_its_request() {
    let app = timers(100, true);
    let said = verdict(&[&app]);
    assert_eq!(named(&said)[0], ("async-context", "requestContext"));
    assert!(said.suspects[0].headline.as_str().contains("timers that will call expire"), "{}", said.suspects[0].headline);
    assert_eq!(found(&async_context::AsyncContext, &[&timers(100, false)]), [], "they keep no store");
    // Sockets keep stores too; one that the app holds as well is the app's.
    let sockets = |shared: bool| {
        let mut app = timers(0, true);
        let open = app.array("open");
        for n in 0..120 {
            let socket = app.d.node(NodeKind::Object, "Socket", 100);
            app.d.edge(app.handles, EdgeKind::Element, &n.to_string(), socket);
            let store = app.instance("Request", 2000);
            app.d.edge(socket, EdgeKind::Property, "<symbol kResourceStore>", store);
            if shared {
                app.push(open, store);
            }
        }
        app
    };
    assert_eq!(found(&async_context::AsyncContext, &[&sockets(false)]).len(), 1);
    assert_eq!(found(&async_context::AsyncContext, &[&sockets(true)]), []);
}

/// `n` buffers of 16 KB in a list that an index shares.
fn buffers(n: usize) -> (App, usize) {
    let mut app = App::new();
    let chunks = app.array("chunks");
    upload(&mut app, chunks, n);
    (app, chunks)
}

fn upload(app: &mut App, chunks: usize, n: usize) {
    for _ in 0..n {
        let view = app.d.node(NodeKind::Object, "Buffer", 96);
        let buffer = app.d.node(NodeKind::Object, "ArrayBuffer", 80);
        let data = app.d.node(NodeKind::Native, "system / JSArrayBufferData", 16_384);
        app.d.edge(view, EdgeKind::Internal, "buffer", buffer);
        app.d.edge(buffer, EdgeKind::Internal, "backing_store", data);
        app.push(chunks, view);
    }
}

#[test]
fn s8_bytes_outside_the_heap_by_their_owner() {
    let (app, chunks) = buffers(20);
    assert_eq!(found(&off_heap::OffHeap, &[&app]), [(chunks, None)]);
    let said = verdict(&[&app]);
    assert_eq!(named(&said)[0], ("off-heap", "chunks"));
    let (few, _) = buffers(2);
    assert_eq!(found(&off_heap::OffHeap, &[&few]), [], "32 KB");
    let mut after = app.clone();
    upload(&mut after, chunks, 10);
    assert_eq!(found(&off_heap::OffHeap, &[&app, &after]), [(chunks, Some(163_840))]);
    assert_eq!(found(&off_heap::OffHeap, &[&app, &app]), []);
}

#[test]
fn s9_the_same_text_over_and_over() {
    let texts = |same: bool| {
        let mut app = App::new();
        let names = app.array("names");
        for n in 0..200 {
            let text = if same { "the same text".to_owned() } else { format!("text {n}") };
            let text = app.d.node(NodeKind::String, &text, 1000);
            app.push(names, text);
        }
        (app, names)
    };
    let (copies, names) = texts(true);
    assert_eq!(found(&strings::Duplicates, &[&copies]), [(names, None)]);
    assert_eq!(named(&verdict(&[&copies])), [("strings", "names")]);
    assert_eq!(found(&strings::Duplicates, &[&texts(false).0]), []);
    assert_eq!(found(&strings::Duplicates, &[&copies, &copies]), [], "no more than there were");
}

#[test]
fn warm_up_is_ranked_behind_what_the_app_keeps() {
    let (before, cache) = cached(300);
    let mut after = later(&before, cache, 100);
    // Ten times the leak: feedback, bytecode, hidden classes of functions that got hot.
    for n in 0..1000 {
        let kind = [NodeKind::Code, NodeKind::Array, NodeKind::ObjectShape, NodeKind::Hidden][n % 4];
        let name = ["(bytecode)", "(feedback vector)", "system / Map", "system / FeedbackCell"][n % 4];
        let node = after.d.node(kind, name, 1000);
        after.d.edge(after.scope, EdgeKind::Internal, &format!("w{n}"), node);
    }
    let said = verdict(&[&before, &after]);
    assert_eq!(named(&said), [("growth", "cache")]);
    assert_eq!(said.suspects[0].growth_share, Some(1.0), "warm-up is no growth of an owner");
}

#[test]
fn what_every_process_consists_of_is_never_named() {
    // Everything hangs on roots, the global object and the module's scope alone.
    let mut app = App::new();
    for (n, on) in [app.handles, 3, app.scope].into_iter().cycle().take(900).enumerate() {
        let node = app.d.node(NodeKind::Object, "Handle", 1000);
        app.d.edge(on, EdgeKind::Internal, &n.to_string(), node);
    }
    let said = verdict(&[&app]);
    let names: Vec<&str> = said.suspects.iter().map(|s| s.holder.as_str()).chain(said.large.iter().map(|l| l.name.as_str())).collect();
    for frame in ["global", "(GC roots)", "(Global handles)", "system / Context", ""] {
        assert!(!names.contains(&frame), "{names:?}");
    }
}

#[test]
fn a_steady_cache_is_large_and_the_capture_that_would_prove_more_is_named() {
    let (app, _) = cached(900);
    let one = verdict(&[&app]);
    assert!(one.suspects.iter().all(|s| s.confidence == Confidence::Low && s.growth_bytes.is_none()), "{one:?}");
    assert!(one.next_capture.as_str().contains("second snapshot of the same process"));
    let two = verdict(&[&app, &app]);
    assert!(two.suspects.is_empty() && two.large.iter().any(|l| l.name.as_str() == "cache" && l.growth_bytes.is_none()));
    assert!(two.reason.as_str().starts_with("nothing grows"), "{}", two.reason);
    assert!(two.next_capture.as_str().contains("worker thread"), "{}", two.next_capture);
}
