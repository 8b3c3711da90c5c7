"""PPO on CartPole-v1, in one file: `python ppo.py --gae_lambda=0.95 --seed=0`.

Schulman et al., "Proximal Policy Optimization Algorithms", arXiv 1707.06347, with what Huang et
al., "The 37 Implementation Details of PPO" (2022), list as usual: orthogonal weights, a learning
rate that falls to 0, normalised advantages, clipped gradients. Nothing here is from their code.
"""

import argparse
from collections import deque
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
import wandb
from gymnasium.vector import AutoresetMode
from torch import nn
from torch.distributions import Categorical

EPISODES = 100  # over which returns are averaged


def layer(inputs: int, outputs: int, gain: float) -> nn.Linear:
    linear = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(linear.weight, gain)
    nn.init.zeros_(linear.bias)
    return linear


def network(inputs: int, width: int, outputs: int, gain: float) -> nn.Sequential:
    return nn.Sequential(
        layer(inputs, width, 2**0.5),
        nn.Tanh(),
        layer(width, width, 2**0.5),
        nn.Tanh(),
        layer(width, outputs, gain),
    )


class Agent(nn.Module):
    """A network for the policy, another for the value of a state."""

    def __init__(self, observations: int, actions: int, width: int):
        super().__init__()
        self.actor = network(observations, width, actions, gain=0.01)
        self.critic = network(observations, width, 1, gain=1.0)

    def policy(self, observations: torch.Tensor) -> Categorical:
        return Categorical(logits=self.actor(observations))

    def value(self, observations: torch.Tensor) -> torch.Tensor:
        return self.critic(observations)[..., 0]


@dataclass
class Rollout:
    """Steps of the environments: arrays of steps x environments; observations have a third axis."""

    observations: torch.Tensor
    actions: torch.Tensor
    log_probs: torch.Tensor
    rewards: torch.Tensor
    ends: torch.Tensor  # 1 where an episode ended with this step
    values: torch.Tensor  # steps + 1: of the states before each step, and after the last one


class Collector:
    """Steps through the environments, and keeps the returns of the last episodes."""

    def __init__(self, environments: gymnasium.vector.VectorEnv, seed: int):
        self.environments = environments
        self.observation, _ = environments.reset(seed=seed)
        self.running = np.zeros(environments.num_envs)
        self.returns: deque[float] = deque(maxlen=EPISODES)

    @torch.no_grad()
    def collect(self, agent: Agent, steps: int, gamma: float) -> Rollout:
        rows = []
        for _ in range(steps):
            observation = torch.as_tensor(self.observation)
            policy = agent.policy(observation)
            action = policy.sample()
            following, reward, terminated, truncated, info = self.environments.step(action.numpy())
            self.running += reward
            end = terminated | truncated
            self.returns.extend(self.running[end])
            self.running[end] = 0
            reward = torch.as_tensor(reward, dtype=torch.float32)
            for index in np.flatnonzero(truncated & ~terminated):
                # The time limit isn't a fall: the state that follows has a value.
                reward[index] += gamma * agent.value(torch.as_tensor(info["final_obs"][index]))
            rows.append(
                (
                    observation,
                    action,
                    policy.log_prob(action),
                    reward,
                    torch.as_tensor(end, dtype=torch.float32),
                    agent.value(observation),
                )
            )
            self.observation = following
        *parts, values = map(torch.stack, zip(*rows, strict=True))
        last = agent.value(torch.as_tensor(self.observation))
        return Rollout(*parts, values=torch.cat([values, last[None]]))


def advantages(rollout: Rollout, gamma: float, gae_lambda: float) -> torch.Tensor:
    """Generalised advantage estimates (Schulman et al., arXiv 1506.02438), steps x environments.

    With a lambda of 0 they look one step ahead, with 1 to the end of the rollout.
    """
    estimates = torch.zeros_like(rollout.rewards)
    later = torch.zeros_like(rollout.rewards[0])
    for step in reversed(range(len(estimates))):
        goes_on = 1 - rollout.ends[step]
        following = rollout.values[step + 1] * goes_on
        surprise = rollout.rewards[step] + gamma * following - rollout.values[step]
        later = surprise + gamma * gae_lambda * goes_on * later
        estimates[step] = later
    return estimates


def update(
    agent: Agent,
    optimizer: torch.optim.Optimizer,
    rollout: Rollout,
    estimates: torch.Tensor,
    options: argparse.Namespace,
) -> dict[str, float]:
    """Several epochs over the rollout; what they logged, of the last batch."""
    observations = rollout.observations.flatten(0, 1)
    actions, log_probs = rollout.actions.flatten(), rollout.log_probs.flatten()
    targets = (estimates + rollout.values[:-1]).flatten()
    estimates = estimates.flatten()
    for _ in range(options.epochs):
        for batch in torch.randperm(len(actions)).chunk(options.batches):
            policy = agent.policy(observations[batch])
            change = policy.log_prob(actions[batch]) - log_probs[batch]
            ratio = change.exp()
            gain = estimates[batch]
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            clipped = ratio.clamp(1 - options.clip, 1 + options.clip)
            policy_loss = -torch.minimum(ratio * gain, clipped * gain).mean()
            value_loss = 0.5 * (agent.value(observations[batch]) - targets[batch]).square().mean()
            entropy = policy.entropy().mean()
            loss = policy_loss + 0.5 * value_loss - options.entropy * entropy
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    return {
        "loss/policy": policy_loss.item(),
        "loss/value": value_loss.item(),
        "policy/entropy": entropy.item(),
        "policy/kl": (ratio - 1 - change).mean().item(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total_steps", type=int, default=32_768)
    parser.add_argument("--environments", type=int, default=8)
    parser.add_argument("--rollout", type=int, default=128, help="steps of each environment")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--gae_lambda", type=float, default=0.95)
    parser.add_argument("--entropy", type=float, default=0.01)
    parser.add_argument("--clip", type=float, default=0.2)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    environments = gymnasium.make_vec(
        "CartPole-v1",
        num_envs=options.environments,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )
    agent = Agent(4, 2, options.width)
    optimizer = torch.optim.Adam(agent.parameters(), lr=options.lr, eps=1e-5)
    collector = Collector(environments, options.seed)

    run = wandb.init(project="cartpole", config=vars(options))
    run.define_metric("*", step_metric="global_step")
    per_update = options.environments * options.rollout
    updates = options.total_steps // per_update
    for number in range(updates):
        optimizer.param_groups[0]["lr"] = options.lr * (1 - number / updates)
        rollout = collector.collect(agent, options.rollout, options.gamma)
        estimates = advantages(rollout, options.gamma, options.gae_lambda)
        row = update(agent, optimizer, rollout, estimates, options)
        row["global_step"] = (number + 1) * per_update
        if collector.returns:
            row["episode/return"] = float(np.mean(collector.returns))
        run.log(row)
    run.finish()


if __name__ == "__main__":
    main()
