-- grain: one row per unit and line that was scored in one of the two months
-- rule: change of the total since last month by line, in 10⁻⁶ of its points.
--   amount: weight × change of the published score ÷ the weight of the lines
--   scored in both months. missing: a line that came or ceased to be scored
--   moves the mean of the others. rubric: weight moved between lines
-- build: month
with total as (
    select
        total.level,
        total.grid_id,
        max(total.weight_scored) filter (total.month = $month)::hugeint as weight,
        max(total.weight_scored) filter (total.month < $month)::hugeint as weight_before
    from score.total as total
    where total.month in ($month, $month - interval 1 month)
        and total.total is not null
    group by total.level, total.grid_id
    having count(*) = 2
),

line as (
    select
        line.level,
        line.grid_id,
        line.line,
        max(line.weight) filter (line.month = $month)::hugeint as weight,
        max(line.weight) filter (line.month < $month)::hugeint as weight_before,
        max(line.score * 100) filter (line.month = $month)::hugeint as cents,
        max(line.score * 100) filter (line.month < $month)::hugeint as cents_before
    from score.line as line
    where line.month in ($month, $month - interval 1 month)
        and line.state = 'scored'
    group by line.level, line.grid_id, line.line
),

shared as (
    select
        line.level,
        line.grid_id,
        sum(line.weight) as weight,
        sum(line.weight_before) as weight_before,
        sum(line.weight * line.cents) as weighted,
        sum(line.weight_before * line.cents_before) as weighted_before
    from line
    where line.weight + line.weight_before is not null
    group by line.level, line.grid_id
),

split as (
    select
        line.*,
        line.weight + line.weight_before is not null as is_scored_twice,
        total.weight as all_weight,
        total.weight_before as all_weight_before,
        coalesce(shared.weight, 1) as shared_weight,
        coalesce(shared.weight_before, 1) as shared_weight_before,
        coalesce(shared.weighted, 0) as weighted,
        coalesce(shared.weighted_before, 0) as weighted_before
    from line
    inner join total
        on line.level = total.level
        and line.grid_id = total.grid_id
    left join shared
        on line.level = shared.level
        and line.grid_id = shared.grid_id
)

select
    $month as month,
    split.level,
    split.grid_id,
    split.line,
    split.is_scored_twice,
    split.weight::bigint as weight,
    split.shared_weight::bigint as shared_weight,
    case when split.is_scored_twice
        then split.weight * (split.cents - split.cents_before) * 10000
            // split.shared_weight
        else 0
    end::bigint as amount,
    case
        when split.is_scored_twice then 0
        when split.weight is null
            then -split.weight_before * 10000
                * (split.cents_before * split.shared_weight_before - split.weighted_before)
                // (split.all_weight_before * split.shared_weight_before)
        else split.weight * 10000
            * (split.cents * split.shared_weight - split.weighted)
            // (split.all_weight * split.shared_weight)
    end::bigint as missing,
    case when split.is_scored_twice
        then (split.weight * split.shared_weight_before - split.weight_before * split.shared_weight)
            * (split.cents_before * split.shared_weight_before - split.weighted_before) * 10000
            // (split.shared_weight * split.shared_weight_before * split.shared_weight_before)
        else 0
    end::bigint as rubric
from split
order by split.level, split.grid_id, split.line
