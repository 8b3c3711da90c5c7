"""A Hugging Face Trainer with report_to="wandb"; the model is made here, and nothing is fetched."""

import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset, random_split
from transformers import (
    Trainer,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
    set_seed,
)


def collate(examples):
    pixels, labels = zip(*examples, strict=True)
    return {"pixel_values": torch.stack(pixels), "labels": torch.stack(labels)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    set_seed(options.seed)
    images, labels = load_digits(return_X_y=True)
    pixels = torch.as_tensor(images).float().view(-1, 1, 8, 8) / 16
    digits = TensorDataset(pixels, torch.as_tensor(labels))
    train, val = random_split(digits, [0.75, 0.25], torch.Generator().manual_seed(0))
    model = ViTForImageClassification(
        ViTConfig(
            image_size=8,
            patch_size=2,
            num_channels=1,
            hidden_size=options.width,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=2 * options.width,
            num_labels=10,
        )
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir="trainer",
            report_to="wandb",
            run_name="bert",
            learning_rate=options.lr,
            num_train_epochs=options.epochs,
            per_device_train_batch_size=64,
            per_device_eval_batch_size=256,
            eval_strategy="epoch",
            save_strategy="no",
            logging_steps=10,
            disable_tqdm=True,
            seed=options.seed,
        ),
        data_collator=collate,
        train_dataset=train,
        eval_dataset=val,
        compute_metrics=lambda out: {
            "accuracy": float(np.mean(out.predictions.argmax(1) == out.label_ids))
        },
    )
    trainer.train()


if __name__ == "__main__":
    main()
