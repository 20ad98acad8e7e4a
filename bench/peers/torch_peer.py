"""PyTorch as one writes it: nn.Module, torch.optim, zero_grad(set_to_none=True), one thread.

Reads the weights and batches that data.ts wrote. --check: losses after 0, 1 and 20 steps on batch 0; otherwise a step is
timed as in measure.ts. Prints one line of JSON. --product: GFLOP/s of a product 512 by 512 by 512 instead.
"""
import argparse
import json
import os
import statistics
import time

# Before PyTorch loads OpenMP, which may narrow the main thread's own set of CPUs.
CPUS = {f"cpu{i}" for i in os.sched_getaffinity(0)}

import numpy
import torch
import torch.nn.functional as F
from torch import nn


def load(folder, name):
    """The workload's settings, {weight: tensor}, [(x, y), ...]"""
    with open(os.path.join(folder, name + ".json")) as file:
        workload = json.load(file)
    raw = numpy.fromfile(os.path.join(folder, name + ".bin"), dtype=numpy.uint8)
    tensors = {}
    for entry in workload["tensors"]:
        end = entry["offset"] + 4 * int(numpy.prod(entry["shape"]))
        array = raw[entry["offset"]:end].view(entry["dtype"]).reshape(entry["shape"]).copy()
        tensor = torch.from_numpy(array)
        tensors[entry["name"]] = tensor if entry["dtype"] == "float32" else tensor.long()
    weights = {name: tensors["weights." + name] for name in workload["weights"]}
    return workload, weights, [(tensors[f"x.{i}"], tensors[f"y.{i}"]) for i in range(workload["batches"])]


def linear(weight, bias=None):
    layer = nn.Linear(*weight.shape, bias=bias is not None)
    layer.weight = nn.Parameter(weight.t().contiguous())
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer


def convolution(kernel, bias):
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2])
    layer.weight, layer.bias = nn.Parameter(kernel), nn.Parameter(bias)
    return layer


def norm(gain, shift):
    layer = nn.LayerNorm(gain.shape[0])
    layer.weight, layer.bias = nn.Parameter(gain), nn.Parameter(shift)
    return layer


class Lstm(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(weights["emb"], freeze=False)
        self.lstm = nn.LSTM(32, 128, batch_first=True)
        self.lstm.weight_ih_l0 = nn.Parameter(weights["wx"].t().contiguous())
        self.lstm.weight_hh_l0 = nn.Parameter(weights["wh"].t().contiguous())
        self.lstm.bias_ih_l0 = nn.Parameter(weights["b"])
        # One bias only, as in the other peers: the second stays at zero.
        self.lstm.bias_hh_l0 = nn.Parameter(torch.zeros(512), requires_grad=False)
        self.out = linear(weights["wo"], weights["bo"])

    def forward(self, x):
        return self.out(self.lstm(self.embedding(x))[0])


class Block(nn.Module):
    def __init__(self, weights, name):
        super().__init__()
        of = lambda part: weights[f"{name}.{part}"]
        self.norm1, self.norm2 = norm(of("g1"), of("n1")), norm(of("g2"), of("n2"))
        self.qkv, self.out = linear(of("wqkv"), of("bqkv")), linear(of("wo"), of("bo"))
        self.up, self.down = linear(of("wu"), of("bu")), linear(of("wd"), of("bd"))
        self.register_buffer("mask", torch.ones(64, 64).triu(1).bool())

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, steps, 3, 4, width // 4).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) * (width // 4) ** -0.5
        attention = scores.masked_fill(self.mask, float("-inf")).softmax(-1)
        x = x + self.out((attention @ v).transpose(1, 2).reshape(batch, steps, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.tokens = nn.Embedding.from_pretrained(weights["tok"], freeze=False)
        self.positions = nn.Parameter(weights["pos"])
        self.blocks = nn.Sequential(Block(weights, "h0"), Block(weights, "h1"))
        self.norm = norm(weights["gf"], weights["nf"])
        self.head = linear(weights["head"])

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.tokens(x) + self.positions)))


def perceptron(weights):
    depth = len(weights) // 2
    layers = []
    for k in range(1, depth + 1):
        layers += [linear(weights[f"w{k}"], weights[f"b{k}"]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def network(model, weights):
    if model == "xor":
        return nn.Sequential(linear(weights["w1"], weights["b1"]), nn.Sigmoid(),
                             linear(weights["w2"], weights["b2"]), nn.Sigmoid())
    if model == "cnn":
        return nn.Sequential(convolution(weights["k1"], weights["c1"]), nn.ReLU(), nn.MaxPool2d(2),
                             convolution(weights["k2"], weights["c2"]), nn.ReLU(), nn.MaxPool2d(2),
                             nn.Flatten(), linear(weights["w"], weights["b"]))
    if model == "lstm":
        return Lstm(weights)
    return Gpt(weights) if model == "gpt" else perceptron(weights)


def make_step(workload, weights, batches):
    """step(i): trains on batch i and gives the loss that it had before."""
    model = network(workload["model"], weights)
    if workload["model"] == "xor":
        loss_of = F.binary_cross_entropy
    else:
        loss_of = lambda z, y: F.cross_entropy(z.flatten(0, -2), y.flatten())
    parameters = [each for each in model.parameters() if each.requires_grad]
    rate, decay = workload["rate"], workload.get("weightDecay", 0)
    optimizer = {
        "sgd": lambda: torch.optim.SGD(parameters, lr=rate),
        "adam": lambda: torch.optim.Adam(parameters, lr=rate),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=rate, weight_decay=decay),
    }[workload["optimizer"]]()

    def step(i):
        x, y = batches[i]
        loss = loss_of(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def busy_seconds():
    """Seconds that the CPUs of this process were busy, whoever used them."""
    ticks = 0
    with open("/proc/stat") as file:
        for line in file:
            name, *counts = line.split()
            if name in CPUS:
                ticks += sum(int(counts[k]) for k in (0, 1, 2, 5, 6, 7))
    return ticks / 100


def watch(limit):
    """Whether this process has not yet had `limit` seconds of the processor, nor four times that on the clock."""
    begin, own = time.perf_counter(), time.process_time()
    return lambda: time.process_time() - own < limit and time.perf_counter() - begin < 4 * limit


def time_steps(step, batches, seconds):
    clock, own_clock = time.perf_counter, time.process_time
    taken, begin = 0, own_clock()
    is_cold = watch(1)
    while is_cold() or taken < 3:
        step(taken % batches)
        taken += 1
    count = max(1, round(0.005 / ((own_clock() - begin) / taken)))
    wall, processor = [], []
    busy = busy_seconds()
    start = last = (clock(), own_clock())
    goes_on = watch(seconds)
    while goes_on() or len(wall) < 3:
        for _ in range(count):
            step(taken % batches)
            taken += 1
        now = (clock(), own_clock())
        wall.append((now[0] - last[0]) / count)
        processor.append((now[1] - last[1]) / count)
        last = now
    busy = busy_seconds() - busy
    return {"ms_per_step": statistics.median(wall) * 1e3, "cpu_ms_per_step": statistics.median(processor) * 1e3,
            "steps": len(wall) * count, "foreign": round((busy - last[1] + start[1]) / (last[0] - start[0]), 3)}


def product_rate():
    """GFLOP/s of a product 512 by 512 by 512: is its BLAS a fast one?"""
    a, b = torch.randn(512, 512), torch.randn(512, 512)
    best = float("inf")
    end = time.perf_counter() + 1
    while time.perf_counter() < end:
        begin = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - begin)
    return 2 * 512**3 / best / 1e9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--workload")
    parser.add_argument("--label", default="torch")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--product", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    if options.product:
        print(json.dumps({"version": torch.__version__, "gflops": product_rate()}))
        return
    workload, weights, batches = load(options.data, options.workload)
    step = make_step(workload, weights, batches)
    if options.check:
        losses = [step(0) for _ in range(21)]
        figures = {f"loss{k}": losses[k] for k in (0, 1, 20)}
    else:
        figures = time_steps(step, len(batches), options.seconds)
    print(json.dumps({"peer": options.label, "workload": options.workload, "threads": 1, **figures}))


main()
