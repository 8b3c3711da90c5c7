def train(model, seed):
    for epoch in range(3):
        yield {"epoch": epoch, "val/loss": model.loss(epoch) + seed / 1000}
