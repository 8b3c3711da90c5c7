wandb_log = True
wandb_project = "shakespeare-char"
max_iters = 4
decay_lr = False
