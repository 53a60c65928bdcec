// bench.mjs PACKAGE MODEL PROMPT GENERATE THREADS: what llama-bench measures, through node-llama-cpp.
//
// As in `pure bench`: random token ids, logits of a prompt's last token and of each decoded one, nothing sampled, the cache empty before
// each test, one run of each before those that count. The context's own batch calls are used, because the package's public functions
// sample, and schedule batches by timers. The cache is f16, which is llama.cpp's default, and so is its choice about flash attention.
import {pathToFileURL} from "node:url";

const [library, modelPath, ...numbers] = process.argv.slice(2);
const [prompt, generate, threads] = numbers.map(Number);
const {getLlama, LlamaLogLevel} = await import(pathToFileURL(library));

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: threads});
const model = await llama.loadModel({modelPath, gpuLayers: 0});
const context = await model.createContext({
    contextSize: Math.max(prompt, generate) + 8,
    batchSize: Math.max(1, Math.min(512, prompt)),
    threads
});
const native = context._ctx;
native.setThreads(threads);
const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length;

// Any generator will do; it only has to send a mixture's tokens to many experts.
let state = 1;
const randomIds = (count) => Uint32Array.from({length: count}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % vocabulary;
});

async function decode(ids, position, wantsLogits) {
    native.initBatch(ids.length);
    native.addToBatch(0, position, ids, wantsLogits ? Uint32Array.of(ids.length - 1) : new Uint32Array());
    await native.decodeBatch();
}

async function readPrompt() {
    const ids = randomIds(prompt);
    const started = performance.now();
    for (let at = 0; at < prompt; at += context.batchSize) {
        const chunk = ids.subarray(at, at + context.batchSize);
        await decode(chunk, at, at + chunk.length === prompt);
    }
    return finish(prompt, started);
}

async function writeTokens(count) {
    const ids = randomIds(count);
    const started = performance.now();
    for (let at = 0; at < count; at++)
        await decode(ids.subarray(at, at + 1), at, true);
    return finish(count, started);
}

function finish(tokens, started) {
    const seconds = (performance.now() - started) / 1000;
    native.disposeSequence(0);
    return tokens / seconds;
}

await readPrompt();
await writeTokens(Math.min(generate, 16));
const speeds = [await readPrompt(), await writeTokens(generate)];
console.log(speeds.map((speed) => speed.toFixed(3)).join(" "));
process.exit(0);
